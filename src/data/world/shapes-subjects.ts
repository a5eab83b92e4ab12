import { box, ellipse, polygon } from "./paths.ts";
import { anchor, bare, part, type Shape } from "./shape.ts";

const PLUM = "#7a3f8f";
const CREAM = "#ffe9b8";
const GOLD = "#f6b21b";
const INK = "#221d26";

/** A plum owl with a cream breast and golden rings round its eyes: all colours are its own. */
export const OWL: Shape = {
  parts: [
    part(PLUM, polygon([-30, -26], [-36, -56], [-8, -40])),
    part(PLUM, polygon([30, -26], [36, -56], [8, -40])),
    part(
      PLUM,
      "M0 -46C30 -46 38 -22 36 8C34 36 20 52 0 52C-20 52 -34 36 -36 8C-38 -22 -30 -46 0 -46Z",
    ),
    part(CREAM, "M0 4C16 4 22 16 20 30C17 44 8 48 0 48C-8 48 -17 44 -20 30C-22 16 -16 4 0 4Z"),
    bare(GOLD, polygon([-10, 20], [-4, 28], [-16, 28])),
    bare(GOLD, polygon([10, 20], [16, 28], [4, 28])),
    bare(GOLD, polygon([0, 32], [6, 40], [-6, 40])),
    part(GOLD, ellipse(-15, -18, 15)),
    part(GOLD, ellipse(15, -18, 15)),
    bare(CREAM, ellipse(-15, -18, 9)),
    bare(CREAM, ellipse(15, -18, 9)),
    bare(INK, ellipse(-13, -18, 5)),
    bare(INK, ellipse(13, -18, 5)),
    part(GOLD, polygon([-6, -8], [6, -8], [0, 6])),
  ],
  anchors: {
    head: anchor(0, -44, 44),
    eyes: anchor(0, -18, 60),
    neck: anchor(0, 4, 60),
    hand: anchor(-38, 14),
  },
};

const TEAL = "#149c94";
const TANGERINE = "#f57c1f";
const CHERRY = "#d6283b";

/** A tin robot, one of the world's robots in build: teal, with tangerine limbs, golden eyes and a cherry dial on its chest. */
export const TOY_ROBOT: Shape = {
  parts: [
    part(TANGERINE, box(-44, 2, 14, 32, 4)),
    part(TANGERINE, box(30, 2, 14, 32, 4)),
    part(TANGERINE, box(-20, 36, 14, 14)),
    part(TANGERINE, box(6, 36, 14, 14)),
    part(TEAL, box(-28, -4, 56, 42, 5)),
    part(CHERRY, ellipse(0, -50, 6)),
    part(TEAL, box(-32, -42, 64, 38, 7)),
    bare(GOLD, ellipse(-14, -25, 10)),
    bare(GOLD, ellipse(14, -25, 10)),
    bare(INK, ellipse(-14, -25, 4.5)),
    bare(INK, ellipse(14, -25, 4.5)),
    bare(CREAM, box(-16, -13, 32, 5)),
    part(CREAM, ellipse(0, 16, 14)),
    bare(CHERRY, ellipse(0, 16, 8)),
  ],
  anchors: {
    head: anchor(0, -42, 46),
    eyes: anchor(0, -25, 56),
    neck: anchor(0, 0, 54),
    hand: anchor(-38, 32),
  },
};
