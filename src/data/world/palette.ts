import type { Colour } from "./scene.ts";

/** Red, green and blue in [0, 255]. */
export type Rgb = readonly [number, number, number];

/** The one shade of each nameable colour. */
export const PALETTE: Readonly<Record<Colour, Rgb>> = {
  red: [219, 50, 47],
  orange: [245, 140, 35],
  yellow: [248, 216, 62],
  green: [62, 166, 75],
  cyan: [72, 205, 210],
  blue: [52, 92, 212],
  purple: [136, 66, 178],
  pink: [246, 142, 190],
  brown: [134, 84, 48],
  black: [44, 42, 48],
  gray: [144, 146, 150],
  white: [244, 243, 240],
};

/** Perceived brightness in [0, 1] (Rec. 601 weights). */
export function brightness([r, g, b]: Rgb): number {
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
}

/** `from` moved towards `to` by `share` in [0, 1]. */
export function blend(from: Rgb, to: Rgb, share: number): Rgb {
  const channel = (i: 0 | 1 | 2) => Math.round(from[i] + (to[i] - from[i]) * share);
  return [channel(0), channel(1), channel(2)];
}

/** The colour as a canvas takes it. */
export function css([r, g, b]: Rgb): string {
  return `rgb(${r},${g},${b})`;
}

const BLACK: Rgb = [16, 14, 22];
const WHITE: Rgb = [255, 255, 255];

/** The shades an object of one colour is drawn with; `pattern` stands off from `body` at moderate contrast. */
export function shades(colour: Colour) {
  const body = PALETTE[colour];
  const isDark = brightness(body) < 0.2;
  const isMiddling = brightness(body) < 0.42;
  return {
    body: css(body),
    pattern: css(isMiddling ? blend(body, WHITE, 0.42) : blend(body, BLACK, 0.4)),
    light: css(blend(body, WHITE, 0.45)),
    dark: css(isDark ? blend(body, WHITE, 0.22) : blend(body, BLACK, 0.32)),
    outline: css(isDark ? blend(body, WHITE, 0.5) : blend(body, BLACK, 0.75)),
  };
}
/** The shades of one colour, each a CSS colour. */
export type Shades = ReturnType<typeof shades>;
