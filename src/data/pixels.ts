import { dispatch, Tensor, type Float, type Pixels } from "../engine/tensor.ts";
import { rearrange } from "../engine/axes.ts";
import { ShapeError } from "../engine/errors.ts";
import { scoped } from "../engine/scope.ts";
import { bytesOf } from "./byte-pictures.ts";

/** Turns RGB bytes (row-major, three per pixel) of equally sized frames into `[-1, 1]`. */
export function toPixels(
  frames: readonly Uint8Array[],
  height: number,
  width: number,
): Pixels<"f 3 h w"> {
  const pixels = Tensor.empty([frames.length, 3, height, width]);
  frames.forEach((frame, index) => {
    const size = height * width * 3;
    if (frame.length !== size) {
      throw new ShapeError(
        `expected ${width}x${height} RGB (${size} bytes), got ${frame.length} bytes`,
      );
    }
    // One by one, while it lies in the processor's cache: half the time of all frames at each step.
    const picture = pixels.narrow(0, index, 1);
    const bytes = Tensor.from(frame, [1, height, width, 3], "uint8");
    dispatch("aten::copy_", picture, rearrange(bytes, "f h w c -> f c h w"));
    toRange(picture);
  });
  return pixels;
}

/** `[0, 255]` with channels last to `[-1, 1]` with channels first. */
export function bytesToPixels(bytes: Tensor): Pixels<"f 3 h w"> {
  return toRange(rearrange(bytes, "f h w c -> f c h w").to("float32").contiguous());
}

/** `[0, 255]` to `[-1, 1]`, in place: fresh memory for each step costs more than the arithmetic. */
function toRange(pixels: Pixels): Pixels {
  dispatch("aten::mul_.Scalar", pixels, 2 / 255);
  return dispatch("aten::sub_.Scalar", pixels, 1);
}

/** `[-1, 1]` to `[0, 1]`, the range in which every metric is stated; what lies outside is clipped. */
export function unitRange(pixels: Pixels<"f 3 h w">): Float<"f 3 h w"> {
  return scoped(() => pixels.to("float32").add(1).mul(0.5).clamp(0, 1));
}

/** Rounds and clips `[-1, 1]` back to RGB bytes, one array per frame. */
export function toBytes(pixels: Pixels<"f 3 h w">): Uint8Array[] {
  // One by one: fresh memory for all frames at each step costs more than the arithmetic.
  return Array.from({ length: pixels.shape[0]! }, (_, index) =>
    bytesOf(toPackedBytes(pixels.narrow(0, index, 1))),
  );
}

/** The same for one frame, as bytes that the engine can count in: uint8 `[h · w · 3]`, on the processor. */
export function toPackedBytes(pixels: Pixels<"1 3 h w">): Tensor {
  const scaled = dispatch("aten::mul.Scalar", pixels.to("float32"), 127.5);
  dispatch("aten::add_.Scalar", scaled, 128); // rounded when it is cut to whole numbers
  dispatch("aten::clamp_", scaled, 0, 255);
  const bytes = scaled.to("uint8");
  const channels = [0, 1, 2].map((channel) => bytes.select(1, channel));
  return Tensor.stack(channels, -1).reshape([-1]).toDevice("cpu");
}
