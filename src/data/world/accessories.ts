import { box, ellipse, polygon } from "./paths.ts";
import type { Accessory } from "./scene.ts";
import { bare, part, type Part, type Shape } from "./shape.ts";

/** How an accessory is drawn: at which anchor, and in which pieces when that anchor is 50 wide. */
export interface Wear {
  readonly at: keyof Shape["anchors"];
  readonly parts: readonly Part[];
}

/** The one look of each accessory; (0, 0) is the anchor. */
export const WEARS: Readonly<Record<Accessory, Wear>> = {
  hat: {
    at: "head",
    parts: [
      part("#7d2a8c", "M-22 2L-18 -42H18L22 2Z"),
      bare("#f6c945", "M-22 -2L-21 -13H21L22 -2Z"),
      part("#7d2a8c", ellipse(0, 3, 38, 8)),
    ],
  },
  crown: {
    at: "head",
    parts: [
      part(
        "#f8ce3a",
        polygon([-30, 8], [-34, -34], [-15, -12], [0, -40], [15, -12], [34, -34], [30, 8]),
      ),
      bare("#d8362f", ellipse(0, -4, 6)),
      bare("#2f6fd0", ellipse(-19, -3, 4.5)),
      bare("#2f6fd0", ellipse(19, -3, 4.5)),
    ],
  },
  glasses: {
    at: "eyes",
    parts: [
      part("#26222b", box(-34, -5, 68, 7)),
      part("#ff5f8f", ellipse(-17, 0, 16)),
      part("#ff5f8f", ellipse(17, 0, 16)),
      bare("#8fe3ff", ellipse(-17, 0, 10)),
      bare("#8fe3ff", ellipse(17, 0, 10)),
    ],
  },
  scarf: {
    at: "neck",
    parts: [
      part("#2fae6b", "M10 2L24 6L26 38L8 38Z"),
      bare("#f7f3e6", "M8.5 26H25.5L26 33H8.2Z"),
      part(
        "#2fae6b",
        "M-30 -8C-14 0 14 0 30 -8C34 -2 34 6 28 10C14 16 -14 16 -28 10C-34 6 -34 -2 -30 -8Z",
      ),
    ],
  },
  "bow-tie": {
    at: "neck",
    parts: [
      part("#e2384d", polygon([0, 0], [-32, -18], [-32, 18])),
      part("#e2384d", polygon([0, 0], [32, -18], [32, 18])),
      part("#ffd9a0", ellipse(0, 0, 8)),
    ],
  },
  umbrella: {
    at: "hand",
    parts: [
      part("#8a5a33", box(-3, -62, 6, 66)),
      part(
        "#ef5fa7",
        "M-36 -44C-34 -76 34 -76 36 -44C28 -52 18 -52 12 -44C6 -52 -6 -52 -12 -44C-18 -52 -28 -52 -36 -44Z",
      ),
      bare("#fff0d8", "M-12 -46C-12 -62 -5 -67 0 -67C5 -67 12 -62 12 -46C6 -52 -6 -52 -12 -46Z"),
    ],
  },
  flag: {
    at: "hand",
    parts: [
      part("#8a5a33", box(-3, -62, 6, 66)),
      part("#20a7b8", "M-3 -62C-16 -70 -26 -54 -44 -62V-30C-26 -22 -16 -38 -3 -30Z"),
      bare("#fff0d8", ellipse(-23, -46, 7)),
    ],
  },
};
