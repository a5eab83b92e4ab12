import { box, ellipse, leafPath, polygon, waveBand } from "./paths.ts";
import type { Texture } from "./scene.ts";

/** Every `step` from -70 to 70. */
function grid(step: number): number[] {
  const count = Math.ceil(140 / step);
  return Array.from({ length: count + 1 }, (_, i) => (i - count / 2) * step);
}

function striped(): string {
  return grid(27)
    .map(
      (x) =>
        polygon([x - 90, 70], [x - 77, 70], [x + 63, -70], [x + 50, -70]) +
        polygon([x + 72, 70], [x + 85, 70], [x + 225, -70], [x + 212, -70]),
    )
    .join("");
}

function checkered(): string {
  const cell = 17;
  const squares = grid(cell).flatMap((x, i) =>
    grid(cell).map((y, j) => ((i + j) % 2 === 0 ? box(x, y, cell, cell) : "")),
  );
  return squares.join("");
}

function dotted(): string {
  const rows = grid(17).map((y, j) =>
    grid(24)
      .map((x) => ellipse(x + (j % 2 === 0 ? 0 : 12), y, 7))
      .join(""),
  );
  return rows.join("");
}

function wooden(): string {
  return grid(15)
    .map((y, i) => waveBand(y, 5, i % 2 === 0 ? 2 : 4, 120))
    .join("");
}

function brick(): string {
  const height = 20;
  const width = 34;
  const rows = grid(height).map((y, j) => {
    const shift = j % 2 === 0 ? 0 : width / 2;
    const joints = grid(width).map((x) => box(x + shift - 3, y + 6, 6, height - 6));
    return box(-75, y, 150, 6) + joints.join("");
  });
  return rows.join("");
}

function wavy(): string {
  return grid(24)
    .map((y) => waveBand(y, 11, 7, 38))
    .join("");
}

function scaly(): string {
  const rows = grid(18).map((y, j) =>
    grid(26)
      .map((middle) => {
        const x = middle + (j % 2 === 0 ? 0 : 13);
        return `M${x - 13} ${y}a13 13 0 0 0 26 0h-7a6 7 0 0 1 -12 0Z`;
      })
      .join(""),
  );
  return rows.join("");
}

function leafy(): string {
  const rows = grid(21).map((y, j) =>
    grid(26)
      .map((x, i) => leafPath(x + (j % 2 === 0 ? 0 : 13), y, 24, ((i + j) % 3) * 1.05 - 0.5))
      .join(""),
  );
  return rows.join("");
}

/** What is painted over an object's body in its pattern shade: SVG path data, object coordinates. */
export const TEXTURE_PATHS: Readonly<Record<Exclude<Texture, "plain">, string>> = {
  striped: striped(),
  checkered: checkered(),
  dotted: dotted(),
  wooden: wooden(),
  brick: brick(),
  wavy: wavy(),
  scaly: scaly(),
  leafy: leafy(),
};
