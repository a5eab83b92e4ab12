import { ellipse, polygon } from "./paths.ts";
import { anchor, bare, part, type Part, type Shape } from "./shape.ts";

const INK = "#221d26";
const MILK = "#fbf7ee";

function eyes(x: number, y: number, radius: number): Part[] {
  return [bare(INK, ellipse(-x, y, radius)), bare(INK, ellipse(x, y, radius))];
}

/** A cat, seen from the front. */
export const CAT: Shape = {
  parts: [
    part("body", "M20 40C44 44 52 24 42 6C40 -2 50 -2 50 8C58 36 42 54 18 50Z"),
    part("body", "M-26 50C-30 14 -14 8 0 8C14 8 30 14 26 50Z"),
    bare("light", ellipse(0, 37, 11, 13)),
    part("body", polygon([-30, -18], [-30, -50], [-6, -34])),
    part("body", polygon([30, -18], [30, -50], [6, -34])),
    part("body", ellipse(0, -12, 32, 26)),
    ...eyes(13, -15, 5.5),
    bare("#e8788a", polygon([-5, -5], [5, -5], [0, 2])),
    bare(INK, polygon([-24, 2], [-46, -2], [-46, 2])),
    bare(INK, polygon([24, 2], [46, -2], [46, 2])),
  ],
  anchors: {
    head: anchor(0, -34, 40),
    eyes: anchor(0, -15, 50),
    neck: anchor(0, 14, 46),
    hand: anchor(-28, 32),
  },
};

/** A dog, seen from the front. */
export const DOG: Shape = {
  parts: [
    part("body", "M20 36C36 36 40 20 46 8C54 10 52 48 20 50Z"),
    part("body", "M-24 50C-28 14 -14 8 0 8C14 8 28 14 24 50Z"),
    part("light", ellipse(-12, 46, 11, 6)),
    part("light", ellipse(12, 46, 11, 6)),
    part("body", "M-30 -20C-30 -58 30 -58 30 -20C30 4 20 16 0 16C-20 16 -30 4 -30 -20Z"),
    part("dark", "M-24 -42C-48 -46 -52 -4 -40 6C-28 8 -26 -20 -24 -42Z"),
    part("dark", "M24 -42C48 -46 52 -4 40 6C28 8 26 -20 24 -42Z"),
    bare(MILK, ellipse(0, 0, 17, 13)),
    ...eyes(11, -20, 5),
    bare(INK, ellipse(0, -6, 8, 5.5)),
    bare("#e8788a", ellipse(0, 8, 4, 5)),
  ],
  anchors: {
    head: anchor(0, -44, 40),
    eyes: anchor(0, -20, 44),
    neck: anchor(0, 18, 44),
    hand: anchor(-28, 32),
  },
};

/** A fox, seen from the front. */
export const FOX: Shape = {
  parts: [
    part("body", "M10 46C34 54 58 30 48 -12C34 -6 22 8 22 24Z"),
    part(MILK, "M48 -12C36 -7 30 -1 26 8C36 12 44 10 51 4C51 -2 50 -7 48 -12Z"),
    part("body", "M-28 50C-30 18 -18 6 -4 6C12 6 24 18 22 50Z"),
    bare(MILK, "M-16 8C-16 30 -10 40 -3 40C4 40 10 30 10 8Z"),
    part("body", polygon([-38, -14], [-38, -52], [-12, -32])),
    part("body", polygon([30, -14], [30, -52], [4, -32])),
    bare(INK, polygon([-33, -32], [-34, -46], [-23, -37])),
    bare(INK, polygon([25, -32], [26, -46], [15, -37])),
    part("body", "M-44 -10C-34 -38 26 -38 36 -10C22 2 8 18 -4 22C-16 18 -30 2 -44 -10Z"),
    bare(
      MILK,
      "M-41 -8C-30 -10 -18 -4 -10 6C-6 12 -2 12 2 6C10 -4 22 -10 33 -8C20 4 8 17 -4 20C-16 17 -28 4 -41 -8Z",
    ),
    bare(INK, ellipse(-17, -13, 5)),
    bare(INK, ellipse(9, -13, 5)),
    bare(INK, ellipse(-4, 17, 6.5, 5)),
  ],
  anchors: {
    head: anchor(-4, -30, 36),
    eyes: anchor(-4, -13, 50),
    neck: anchor(-4, 24, 44),
    hand: anchor(-30, 34),
  },
};

/** A bird that faces right. */
export const BIRD: Shape = {
  parts: [
    part("dark", polygon([-24, 2], [-54, -12], [-50, 16], [-26, 20])),
    part("#f2a531", polygon([38, -24], [56, -16], [38, -8])),
    bare("#d98a1f", polygon([-8, 34], [-2, 34], [-2, 50], [-8, 50])),
    bare("#d98a1f", polygon([8, 34], [14, 34], [14, 50], [8, 50])),
    part(
      "body",
      "M-34 6C-30 -10 -8 -12 2 -26C8 -44 40 -46 42 -18C42 18 28 40 2 40C-20 40 -34 26 -34 6Z",
    ),
    bare("light", "M16 36C34 26 40 6 36 -4C24 -2 14 14 16 36Z"),
    part("dark", "M-28 4C-14 -8 10 -6 14 4C12 22 -12 26 -28 4Z"),
    bare(MILK, ellipse(25, -23, 8)),
    bare(INK, ellipse(27, -22, 4.5)),
  ],
  anchors: {
    head: anchor(22, -38, 34),
    eyes: anchor(26, -23, 34),
    neck: anchor(20, -2, 44),
    hand: anchor(40, 12),
  },
};

/** A fish that faces right. */
export const FISH: Shape = {
  parts: [
    part("dark", "M-26 0C-34 -14 -44 -24 -54 -24C-48 -8 -48 8 -54 24C-44 24 -34 14 -26 0Z"),
    part("dark", "M-8 -22C-4 -40 12 -44 24 -38C20 -32 18 -26 20 -20Z"),
    part("dark", "M-4 22C0 34 8 40 18 38C16 32 14 26 16 20Z"),
    part("body", "M-34 0C-22 -28 24 -40 50 -4C52 0 52 2 50 6C24 38 -22 28 -34 0Z"),
    bare("light", "M-20 12C2 26 26 24 44 8C26 14 2 16 -20 12Z"),
    bare(MILK, ellipse(30, -8, 9)),
    bare(INK, ellipse(32, -8, 5)),
    bare(INK, polygon([36, 9], [50, 5], [48, 10], [37, 13])),
  ],
  anchors: {
    head: anchor(20, -26, 36),
    eyes: anchor(29, -8, 36),
    neck: anchor(8, 4, 50),
    hand: anchor(12, 26),
  },
};
