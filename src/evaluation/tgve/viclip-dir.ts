import { tensorScope } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import { cosines, directions } from "./cosine.ts";

/** ViCLIP's vectors of what went into an edit and of what came out. */
export interface BeforeAndAfter {
  readonly input: Float<"1 d">;
  readonly output: Float<"1 d">;
}

/**
 * ViCLIP_dir (§4.1): whether the video changes as its caption does, `cos(V̂_out − V̂_in, T̂_out − T̂_in)`.
 *
 * In [-1, 1]; 0 where the video or the caption does not change.
 *
 * Deviation: the paper defines it in words; vectors are brought to length one before they are subtracted, as in
 * InstructPix2Pix's measure, which it follows.
 */
export function viclipDir(videos: BeforeAndAfter, captions: BeforeAndAfter): number {
  using _ = tensorScope();
  const change = ({ input, output }: BeforeAndAfter): Float<"1 d"> =>
    directions(output).sub(directions(input));
  return cosines(change(videos), change(captions)).item();
}
