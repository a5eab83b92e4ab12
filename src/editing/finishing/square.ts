import { fitFrame, type FrameShape } from "../../data/video/fit.ts";
import type { Tensor } from "../../engine/tensor.ts";

/** What the model makes of a frame, in its own size: uint8 `[size · size · 3]`. */
export interface DrawnSquare {
  readonly edited: Tensor;
  /** The frame there and back through the autoencoder: what the model can carry of it. */
  readonly reconstruction: Tensor;
}

/** A frame in the model's square: RGB bytes, `size × size × 3`. */
export interface SquarePicture {
  readonly edited: Uint8Array;
  /** The frame itself, as the model was shown it; one array with `edited` where the edit leaves it as it is. */
  readonly source: Uint8Array;
}

/** A frame at its own size, packed RGB. */
export interface SourceFrame extends FrameShape {
  readonly rgb: Uint8Array;
}

/** A frame fitted into the model's square, in an array of its own. */
export function fittedSquare(frame: SourceFrame, size: number): Uint8Array {
  const { rgb } = frame;
  const fitted = fitFrame(rgb, frame, size);
  return fitted === rgb ? rgb.slice() : fitted;
}
