import type { SKRSContext2D } from "@napi-rs/canvas";
import { type Rgb, css } from "./palette.ts";
import { pathOf } from "./path-cache.ts";
import { ellipse, leafPath, polygon, box } from "./paths.ts";
import type { Background } from "./scene.ts";

/** How far a background reaches above and below the frame, in frame widths, for the camera's pans. */
export const BACKGROUND_MARGIN = 0.12;

/** One piece of a background: SVG path data in hundredths of a frame width; x repeats after 100. */
type Piece = readonly [fill: string, path: string];

interface Backdrop {
  /** Colours from the top to the bottom of the sky. */
  readonly sky: readonly Rgb[];
  readonly pieces: readonly Piece[];
}

/** Ground whose upper edge is at height `y` and waves `waves` times a period. */
function ground(y: number, amplitude: number, waves: number, shift = 0): string {
  const points: [number, number][] = [];
  for (let x = -4; x <= 104; x += 2) {
    const height = y + amplitude * Math.sin((2 * Math.PI * (waves * x)) / 100 + shift);
    points.push([x, Math.round(height * 100) / 100]);
  }
  return polygon(...points, [104, 114], [-4, 114]);
}

const cloud = (x: number, y: number, s: number): string =>
  ellipse(x - 6 * s, y, 6 * s, 3.5 * s) +
  ellipse(x, y - 2 * s, 7 * s, 5 * s) +
  ellipse(x + 7 * s, y, 6 * s, 3.5 * s);

const fir = (x: number, y: number, s: number): string =>
  polygon(
    [x, y - 34 * s],
    [x + 8 * s, y - 18 * s],
    [x + 4 * s, y - 18 * s],
    [x + 12 * s, y],
    [x - 12 * s, y],
    [x - 4 * s, y - 18 * s],
    [x - 8 * s, y - 18 * s],
  );

const cactus = (x: number, y: number): string =>
  box(x - 2.5, y - 22, 5, 22, 2) +
  box(x - 9, y - 17, 4, 9, 2) +
  box(x - 9, y - 11, 9, 4, 2) +
  box(x + 5, y - 20, 4, 9, 2) +
  box(x, y - 14, 9, 4, 2);

function at(
  points: readonly (readonly [number, number])[],
  draw: (x: number, y: number, i: number) => string,
): string {
  return points.map(([x, y], i) => draw(x, y, i)).join("");
}

const BACKDROPS: Readonly<Record<Background, Backdrop>> = {
  meadow: {
    sky: [
      [150, 208, 245],
      [206, 234, 250],
    ],
    pieces: [
      ["#ffffff", cloud(24, 16, 1) + cloud(74, 26, 0.9)],
      ["#a5d47a", ground(58, 4, 2)],
      ["#86c35c", ground(72, 3, 1, 1)],
      [
        "#fff3a0",
        at(
          [
            [10, 82],
            [37, 92],
            [64, 84],
            [88, 94],
            [24, 104],
          ],
          (x, y) => ellipse(x, y, 2.2),
        ),
      ],
      [
        "#f7a8c4",
        at(
          [
            [22, 90],
            [51, 80],
            [78, 90],
            [97, 83],
            [60, 102],
          ],
          (x, y) => ellipse(x, y, 2.2),
        ),
      ],
    ],
  },
  desert: {
    sky: [
      [246, 205, 140],
      [253, 235, 195],
    ],
    pieces: [
      ["#fff6d0", ellipse(76, 18, 9)],
      ["#e8c078", ground(60, 5, 1, 2)],
      ["#5f9a54", cactus(16, 74) + cactus(66, 70)],
      ["#dcab5e", ground(76, 4, 2)],
      ["#cf9a4c", ground(92, 3, 1, 3)],
    ],
  },
  "night-sky": {
    sky: [
      [28, 30, 84],
      [62, 60, 138],
    ],
    pieces: [
      ["#f7efc0", "M80 10a11 11 0 1 0 10 16a9 9 0 0 1 -10 -16Z"],
      [
        "#f4f0d8",
        at(
          [
            [10, 14],
            [30, 30],
            [50, 10],
            [62, 38],
            [18, 54],
            [42, 60],
            [92, 52],
            [74, 72],
            [8, 84],
            [34, 88],
            [58, 92],
            [90, 96],
          ],
          (x, y, i) => ellipse(x, y, i % 3 === 0 ? 2.2 : 1.6),
        ),
      ],
    ],
  },
  sea: {
    sky: [
      [170, 222, 246],
      [226, 244, 250],
    ],
    pieces: [
      ["#ffffff", cloud(60, 14, 0.9)],
      ["#5fb4dd", ground(42, 0, 1)],
      ["#4aa0d0", ground(56, 2, 4)],
      ["#3a8cc0", ground(72, 2.5, 3, 1)],
      ["#2d78ae", ground(90, 3, 2, 2)],
    ],
  },
  forest: {
    sky: [
      [190, 224, 205],
      [222, 238, 212],
    ],
    pieces: [
      [
        "#8dbd97",
        at(
          [
            [4, 62],
            [22, 60],
            [40, 63],
            [58, 60],
            [76, 63],
            [94, 60],
          ],
          (x, y) => fir(x, y, 1.35),
        ),
      ],
      [
        "#5f9a6c",
        at(
          [
            [13, 78],
            [38, 76],
            [63, 79],
            [88, 76],
          ],
          (x, y) => fir(x, y, 1.7),
        ),
      ],
      ["#4c7f4a", ground(76, 2, 2)],
      ["#5d9155", ground(92, 2, 3, 1)],
    ],
  },
  snow: {
    sky: [
      [176, 200, 226],
      [216, 228, 240],
    ],
    pieces: [
      [
        "#a9bfd8",
        polygon([-8, 66], [16, 30], [40, 66]) +
          polygon([34, 66], [64, 22], [94, 66]) +
          polygon([92, 66], [116, 30], [140, 66]),
      ],
      [
        "#f4f8fc",
        polygon([8, 42], [16, 30], [24, 42]) +
          polygon([54, 37], [64, 22], [74, 37]) +
          ground(62, 3, 2),
      ],
      ["#dde8f3", ground(80, 3, 1, 2)],
      ["#f4f8fc", ground(95, 2, 2, 1)],
    ],
  },
  city: {
    sky: [
      [196, 206, 222],
      [232, 226, 222],
    ],
    pieces: [
      [
        "#a3abc0",
        box(0, 34, 18, 50) +
          box(22, 20, 15, 64) +
          box(42, 40, 18, 50) +
          box(64, 26, 15, 60) +
          box(83, 38, 15, 50),
      ],
      [
        "#f3e2a0",
        at(
          [
            [4, 40],
            [11, 40],
            [4, 50],
            [11, 50],
            [26, 28],
            [32, 28],
            [26, 40],
            [32, 40],
            [26, 52],
            [47, 48],
            [54, 48],
            [68, 34],
            [74, 34],
            [68, 46],
            [74, 46],
            [88, 46],
            [88, 58],
          ],
          (x, y) => box(x, y, 3.5, 5),
        ),
      ],
      ["#8a8f9c", ground(78, 0, 1)],
      ["#6c717e", ground(84, 0, 1)],
      ["#ece6cf", box(6, 94, 18, 3) + box(39, 94, 18, 3) + box(72, 94, 18, 3)],
    ],
  },
  sunset: {
    sky: [
      [96, 72, 150],
      [236, 120, 110],
      [253, 200, 120],
    ],
    pieces: [
      ["#fff0b0", ellipse(50, 62, 15)],
      ["#f3a08e", cloud(18, 30, 0.8) + cloud(82, 40, 0.8)],
      ["#8a5078", ground(68, 4, 1, 1)],
      ["#643c68", ground(82, 4, 2)],
    ],
  },
  studio: {
    sky: [
      [232, 226, 216],
      [222, 214, 202],
    ],
    pieces: [
      ["#c9bba6", ground(76, 0, 1)],
      ["#d6cab7", ellipse(50, 92, 34, 9)],
    ],
  },
  autumn: {
    sky: [
      [236, 206, 150],
      [246, 226, 180],
    ],
    pieces: [
      ["#a2744a", box(12, -14, 7, 90) + box(48, -14, 6, 90) + box(82, -14, 7, 90)],
      [
        "#dd8a3c",
        at(
          [
            [14, 6],
            [34, -2],
            [52, 8],
            [70, 0],
            [88, 8],
            [2, 0],
          ],
          (x, y) => ellipse(x, y, 14, 10),
        ),
      ],
      ["#c06a34", ground(74, 3, 2)],
      [
        "#e8a544",
        at(
          [
            [8, 84],
            [30, 92],
            [52, 82],
            [74, 93],
            [94, 84],
            [18, 102],
          ],
          (x, y, i) => leafPath(x, y, 9, 0.5 + i),
        ),
      ],
      [
        "#96432a",
        at(
          [
            [19, 82],
            [41, 84],
            [63, 90],
            [84, 84],
            [5, 95],
            [50, 99],
          ],
          (x, y, i) => leafPath(x, y, 9, 2 + i),
        ),
      ],
    ],
  },
};

/**
 * Draws a background over x in [0, 100] and y in [-margin, 100 + margin], in hundredths of a frame width.
 *
 * Each piece is drawn three times, one period apart, so that the right edge continues the left.
 */
export function paintBackground(context: SKRSContext2D, background: Background): void {
  const { sky, pieces } = BACKDROPS[background];
  const margin = 100 * BACKGROUND_MARGIN;
  const gradient = context.createLinearGradient(0, 0, 0, 80);
  sky.forEach((colour, i) => gradient.addColorStop(i / (sky.length - 1), css(colour)));
  context.fillStyle = gradient;
  context.fillRect(-2, -margin, 104, 100 + 2 * margin);
  for (const [fill, data] of pieces) {
    context.fillStyle = fill;
    for (const shift of [-100, 0, 100]) {
      context.save();
      context.translate(shift, 0);
      context.fill(pathOf(data));
      context.restore();
    }
  }
}
