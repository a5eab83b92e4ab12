import type { Orientation } from "../../src/data/video/orientation.ts";

/** The display matrix (36 bytes) of an orientation; players need no translation in it. */
export function displayMatrixOf({ rotation, mirrored }: Orientation): Buffer {
  const turns: Record<Orientation["rotation"], readonly [number, number]> = {
    0: [1, 0],
    90: [0, 1],
    180: [-1, 0],
    270: [0, -1],
  };
  const [cos, sin] = turns[rotation];
  const flip = mirrored ? -1 : 1;
  const matrix = Buffer.alloc(36);
  const unit = 1 << 16;
  [cos * flip * unit, sin * flip * unit, 0, -sin * unit, cos * unit, 0, 0, 0, 1 << 30].forEach(
    (value, index) => matrix.writeInt32LE(value, index * 4),
  );
  return matrix;
}
