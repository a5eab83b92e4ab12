import type { TimeBase } from "./time-base.ts";

/** How a player turns the coded picture to show it: mirrored left-right first, then clockwise. */
export interface Orientation {
  /** Degrees clockwise. */
  readonly rotation: 0 | 90 | 180 | 270;
  readonly mirrored: boolean;
}

/** The orientation of a picture shown as it is coded. */
export const upright: Orientation = { rotation: 0, mirrored: false };

/**
 * Reads the orientation out of a display matrix: nine little-endian 32-bit integers, row-major,
 * `(x, y) -> (a x + c y, b x + d y)` in 16.16 with `a b` first and `c d` fourth and fifth.
 *
 * A matrix that is no turn by a right angle gives `upright`: the pixels stay, the matrix travels.
 */
export function orientationOf(displayMatrix: Uint8Array): Orientation {
  const view = new DataView(
    displayMatrix.buffer,
    displayMatrix.byteOffset,
    displayMatrix.byteLength,
  );
  const signAt = (index: number): number => Math.sign(view.getInt32(index * 4, true));
  const [a, b, c, d] = [signAt(0), signAt(1), signAt(3), signAt(4)] as const;
  const mirrored = a * d - b * c < 0;
  const [x, y] = mirrored ? [-a, -b] : [a, b];
  const isRightAngle = Math.abs(a) + Math.abs(b) === 1 && Math.abs(c) + Math.abs(d) === 1;
  if (!isRightAngle) return upright;
  if (x === 1) return { rotation: 0, mirrored };
  if (x === -1) return { rotation: 180, mirrored };
  return { rotation: y === 1 ? 90 : 270, mirrored };
}

/** The size of a `width × height` picture once turned. */
export function turnedSize(
  width: number,
  height: number,
  { rotation }: Orientation,
): { width: number; height: number } {
  return rotation % 180 === 0 ? { width, height } : { width: height, height: width };
}

/** The shape of pixels as shown: those of a picture that is turned sideways lie on their sides. */
export function shownAspect({
  sampleAspectRatio: { num, den },
  rotation,
}: {
  readonly sampleAspectRatio: TimeBase;
  readonly rotation: Orientation["rotation"];
}): TimeBase {
  return rotation % 180 === 0 || num === 0 ? { num, den } : { num: den, den: num };
}

/** Where pixel (column, row) of the shown picture lies in the coded one, in pixels: `origin + …`. */
function strides(width: number, height: number, { rotation, mirrored }: Orientation) {
  const byRotation = {
    0: { right: 1, down: width, origin: 0 },
    90: { right: -width, down: 1, origin: (height - 1) * width },
    180: { right: -1, down: -width, origin: height * width - 1 },
    270: { right: width, down: -1, origin: width - 1 },
  };
  const { right, down, origin } = byRotation[rotation];
  if (!mirrored) return byRotation[rotation];
  const mirror = (offset: number) =>
    Math.floor(offset / width) * width + (width - 1 - (offset % width));
  const mirroredOrigin = mirror(origin);
  const isAlongRows = rotation % 180 === 0;
  return {
    right: isAlongRows ? -right : right,
    down: isAlongRows ? down : -down,
    origin: mirroredOrigin,
  };
}

/** Turns a coded RGB picture (`height × width × 3`) the way it is shown. */
export function turnUpright(
  coded: Uint8Array,
  width: number,
  height: number,
  orientation: Orientation,
): Uint8Array {
  const shown = new Uint8Array(coded.length);
  eachPixel(width, height, orientation, (from, to) => copyPixel(coded, from, shown, to));
  return shown;
}

/** The inverse of `turnUpright`: brings a shown picture back to the coded `width × height`. */
export function turnBack(
  shown: Uint8Array,
  width: number,
  height: number,
  orientation: Orientation,
): Uint8Array {
  const coded = new Uint8Array(shown.length);
  eachPixel(width, height, orientation, (from, to) => copyPixel(shown, to, coded, from));
  return coded;
}

function eachPixel(
  width: number,
  height: number,
  orientation: Orientation,
  visit: (codedOffset: number, shownOffset: number) => void,
): void {
  const { right, down, origin } = strides(width, height, orientation);
  const shown = turnedSize(width, height, orientation);
  for (let row = 0, to = 0; row < shown.height; row++) {
    for (let column = 0, from = origin + row * down; column < shown.width; column++) {
      visit(from * 3, to * 3);
      from += right;
      to++;
    }
  }
}

function copyPixel(source: Uint8Array, from: number, target: Uint8Array, to: number): void {
  target[to] = source[from]!;
  target[to + 1] = source[from + 1]!;
  target[to + 2] = source[from + 2]!;
}
