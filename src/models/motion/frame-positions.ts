import type { Float } from "../../engine/tensor.ts";
import { formulaInit } from "../../nn/init.ts";
import { Module } from "../../nn/module.ts";

/**
 * What tells a motion module the order of frames: one vector per position, added to what attention reads.
 *
 * `pe[p, 2i] = sin(p·10000^(−2i/c))`, `pe[p, 2i+1]` the cosine. The table is a constant: no gradient reaches it. Public
 * files hold it all the same (in half precision a rounded one), and what a file holds takes its place, because that is
 * what the file's other users compute with.
 */
export class FramePositions extends Module {
  readonly pe: Float<"1 n c">;

  constructor(maxFrames: number, channels: number) {
    super();
    const angle = (place: number): number => {
      const [position, channel] = [Math.floor(place / channels), place % channels];
      return position * 10_000 ** (-(channel - (channel % 2)) / channels);
    };
    const shape = [1, maxFrames, channels];
    this.pe = formulaInit(shape, () =>
      Float32Array.from({ length: maxFrames * channels }, (_, place) =>
        (place % channels) % 2 === 0 ? Math.sin(angle(place)) : Math.cos(angle(place)),
      ),
    );
  }

  /** `x` with the first `f` positions added. */
  forward(x: Float<"b f c">): Float<"b f c"> {
    return x.add(this.pe.detach().narrow(1, 0, x.shape[1]!));
  }
}
