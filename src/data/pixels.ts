import { dispatch, Tensor, type Pixels } from "../engine/tensor.ts";
import { rearrange } from "../engine/axes.ts";
import { ShapeError } from "../engine/errors.ts";

/** Turns RGB bytes (row-major, three per pixel) of equally sized frames into `[-1, 1]`. */
export function toPixels(
  frames: readonly Uint8Array[],
  height: number,
  width: number,
): Pixels<"f 3 h w"> {
  const size = height * width * 3;
  const bytes = new Uint8Array(frames.length * size);
  frames.forEach((frame, index) => {
    if (frame.length !== size) {
      throw new ShapeError(
        `expected ${width}x${height} RGB (${size} bytes), got ${frame.length} bytes`,
      );
    }
    bytes.set(frame, index * size);
  });
  return bytesToPixels(Tensor.from(bytes, [frames.length, height, width, 3]));
}

/** `[0, 255]` with channels last to `[-1, 1]` with channels first. */
export function bytesToPixels(bytes: Tensor): Pixels<"f 3 h w"> {
  // In place: fresh memory for each step costs more than the arithmetic.
  const pixels = dispatch(
    "aten::mul.Scalar",
    rearrange(bytes, "f h w c -> f c h w").to("float32"),
    2 / 255,
  );
  return dispatch("aten::sub_.Scalar", pixels, 1).contiguous();
}

/** Rounds and clips `[-1, 1]` back to RGB bytes, one array per frame. */
export function toBytes(pixels: Pixels<"f 3 h w">): Uint8Array[] {
  // One by one and in place: fresh memory for all frames at each step costs more than the arithmetic.
  return Array.from({ length: pixels.shape[0]! }, (_, index) => {
    const scaled = dispatch("aten::add.Scalar", pixels.narrow(0, index, 1).to("float32"), 1);
    dispatch("aten::mul_.Scalar", scaled, 127.5);
    dispatch("aten::add_.Scalar", scaled, 0.5);
    dispatch("aten::clamp_", scaled, 0, 255);
    return new Uint8Array(rearrange(scaled.to("uint8"), "f c h w -> f h w c").toBytes());
  });
}
