import { box, ellipse, polygon, starPath } from "./paths.ts";
import { anchor, bare, part, type Part, type Shape } from "./shape.ts";

const INK = "#221d26";
const GLASS = "#bfe4f2";

function face(y: number): Part[] {
  return [
    bare(INK, ellipse(-12, y, 5, 6.5)),
    bare(INK, ellipse(12, y, 5, 6.5)),
    bare(INK, `M-10 ${y + 11}Q0 ${y + 20} 10 ${y + 11}Q0 ${y + 28} -10 ${y + 11}Z`),
  ];
}

/** A ball that shines. */
export const BALL: Shape = {
  parts: [
    part("body", ellipse(0, 0, 46)),
    bare("light", "M-30 -8C-30 -26 -16 -36 -2 -34C-2 -28 -4 -26 -8 -24C-16 -22 -22 -16 -24 -8Z"),
  ],
  anchors: {
    head: anchor(0, -42, 50),
    eyes: anchor(0, -6, 56),
    neck: anchor(0, 24, 60),
    hand: anchor(-44, 10),
  },
};

/** A box, seen from above one of its edges. */
export const BOX: Shape = {
  parts: [
    part("light", polygon([-44, -24], [-22, -44], [46, -44], [26, -24])),
    part("dark", polygon([26, -24], [46, -44], [46, 24], [26, 44])),
    part("body", box(-44, -24, 70, 68)),
  ],
  anchors: {
    head: anchor(0, -38, 46),
    eyes: anchor(-9, -4, 50),
    neck: anchor(-9, 24, 52),
    hand: anchor(-46, 14),
  },
};

/** A star of five points with a face. */
export const STAR: Shape = {
  parts: [part("body", starPath(0, 4, 52, 25)), ...face(-2)],
  anchors: {
    head: anchor(0, -38, 34),
    eyes: anchor(0, -2, 48),
    neck: anchor(0, 26, 44),
    hand: anchor(-44, -8),
  },
};

/** A heart with a face. */
export const HEART: Shape = {
  parts: [
    part(
      "body",
      "M0 46C-34 22 -50 2 -48 -18C-46 -42 -12 -46 0 -22C12 -46 46 -42 48 -18C50 2 34 22 0 46Z",
    ),
    bare("light", "M-38 -12C-40 -28 -26 -36 -16 -32C-24 -28 -30 -22 -30 -10Z"),
  ],
  anchors: {
    head: anchor(0, -32, 44),
    eyes: anchor(0, -10, 54),
    neck: anchor(0, 14, 56),
    hand: anchor(-44, 0),
  },
};

/** A car, seen from the side. */
export const CAR: Shape = {
  parts: [
    part("body", "M-34 -4L-22 -32H16L34 -4Z"),
    bare(GLASS, polygon([-25, -6], [-17, -26], [-3, -26], [-3, -6])),
    bare(GLASS, polygon([3, -6], [3, -26], [13, -26], [26, -6])),
    part("body", "M-50 24V2C-50 -4 -46 -6 -40 -6H36C46 -4 50 2 50 10V24Z"),
    bare("#ffe27a", ellipse(45, 7, 5)),
    bare("light", box(-44, 12, 82, 5)),
    part(INK, ellipse(-26, 25, 13)),
    part(INK, ellipse(26, 25, 13)),
    bare("#c9ccd2", ellipse(-26, 25, 6)),
    bare("#c9ccd2", ellipse(26, 25, 6)),
  ],
  anchors: {
    head: anchor(-3, -31, 42),
    eyes: anchor(4, -15, 52),
    neck: anchor(0, 6, 56),
    hand: anchor(-46, 0),
  },
};

/** A boat, seen from the side. */
export const BOAT: Shape = {
  parts: [
    part("#8a5a33", box(-3, -50, 6, 66)),
    part("#f7f3e6", polygon([6, -46], [42, 8], [6, 8])),
    part("body", polygon([-6, -36], [-36, 8], [-6, 8])),
    part("body", "M-50 14H50C46 32 36 44 24 44H-24C-36 44 -46 32 -50 14Z"),
    bare("dark", "M-50 14H50L48 21H-48Z"),
  ],
  anchors: {
    head: anchor(0, -46, 34),
    eyes: anchor(2, -6, 46),
    neck: anchor(0, 28, 56),
    hand: anchor(-42, 18),
  },
};

/** A house, seen from the front. */
export const HOUSE: Shape = {
  parts: [
    part("dark", box(20, -46, 13, 30)),
    part("body", box(-38, -12, 76, 60)),
    part("dark", polygon([-50, -10], [0, -48], [50, -10])),
    part(GLASS, box(-28, 2, 20, 18)),
    part("#6b4327", box(6, 10, 20, 38)),
    bare("#ffe27a", ellipse(21, 30, 3)),
  ],
  anchors: {
    head: anchor(0, -42, 42),
    eyes: anchor(-4, 8, 54),
    neck: anchor(-6, 28, 54),
    hand: anchor(-44, 18),
  },
};

/** A tree. */
export const TREE: Shape = {
  parts: [
    part("#7a4d2b", "M-9 50L-6 10H6L9 50Z"),
    part(
      "body",
      "M-24 22C-50 22 -52 -8 -34 -14C-36 -40 -8 -54 6 -42C26 -52 46 -30 36 -14C54 -4 46 24 24 22C14 30 -14 30 -24 22Z",
    ),
    bare("light", "M-28 -18C-26 -32 -12 -40 0 -36C-10 -32 -18 -26 -20 -14Z"),
  ],
  anchors: {
    head: anchor(2, -40, 46),
    eyes: anchor(0, -10, 52),
    neck: anchor(0, 26, 44),
    hand: anchor(-38, 10),
  },
};

/** A rocket that points up. */
export const ROCKET: Shape = {
  parts: [
    part("#f59a23", polygon([-12, 30], [-7, 52], [0, 42], [7, 52], [12, 30])),
    part("dark", "M-16 4C-34 10 -38 26 -36 40L-14 30Z"),
    part("dark", "M16 4C34 10 38 26 36 40L14 30Z"),
    part("body", "M0 -52C26 -30 26 10 16 34H-16C-26 10 -26 -30 0 -52Z"),
    bare("light", "M0 -50C10 -42 15 -33 18 -24H-18C-15 -33 -10 -42 0 -50Z"),
    part(GLASS, ellipse(0, -8, 10)),
  ],
  anchors: {
    head: anchor(0, -46, 36),
    eyes: anchor(0, -8, 46),
    neck: anchor(0, 16, 46),
    hand: anchor(-32, 20),
  },
};

/** A mushroom. */
export const MUSHROOM: Shape = {
  parts: [
    part("#f3e7cf", "M-18 0C-14 20 -22 38 -24 48H24C22 38 14 20 18 0Z"),
    bare(INK, ellipse(-8, 20, 4, 5)),
    bare(INK, ellipse(8, 20, 4, 5)),
    part("body", "M-50 6C-52 -30 -24 -48 0 -48C24 -48 52 -30 50 6C30 14 -30 14 -50 6Z"),
    bare("#fbf7ee", ellipse(-24, -14, 9, 8)),
    bare("#fbf7ee", ellipse(8, -30, 10, 8)),
    bare("#fbf7ee", ellipse(28, -8, 8, 7)),
  ],
  anchors: {
    head: anchor(0, -44, 46),
    eyes: anchor(0, 20, 40),
    neck: anchor(0, 36, 46),
    hand: anchor(-28, 34),
  },
};

/** A robot, seen from the front. */
export const ROBOT: Shape = {
  parts: [
    part("dark", box(-44, 2, 14, 32, 4)),
    part("dark", box(30, 2, 14, 32, 4)),
    part("dark", box(-20, 36, 14, 14)),
    part("dark", box(6, 36, 14, 14)),
    part("body", box(-28, -4, 56, 42, 5)),
    part("dark", box(-3, -52, 6, 12)),
    part("body", box(-32, -42, 64, 38, 7)),
    bare("#fdf6d8", ellipse(-14, -25, 9)),
    bare("#fdf6d8", ellipse(14, -25, 9)),
    bare(INK, ellipse(-14, -25, 4.5)),
    bare(INK, ellipse(14, -25, 4.5)),
    bare(INK, box(-14, -12, 28, 4)),
    bare("#f2c744", ellipse(0, 16, 8)),
  ],
  anchors: {
    head: anchor(0, -42, 46),
    eyes: anchor(0, -25, 56),
    neck: anchor(0, 0, 54),
    hand: anchor(-38, 32),
  },
};
