import { ConfigError } from "../../engine/errors.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { Residuals } from "../../models/unet/unet.ts";
import type { EditBranch } from "./branches.ts";
import { alike, between, Strengths } from "./strengths.ts";

/** All that an edit adapter adds to the backbone's states, coarse and fine alike. */
const STATES = "states";
/** What it does to the backbone's output. */
const OUTPUT = "output";

/** Where an edit adapter speaks: at the states, and at the output where it reaches that. */
export function editPlaces(reachesOutput: boolean): readonly string[] {
  return reachesOutput ? [STATES, OUTPUT] : [STATES];
}

/**
 * How strongly an edit adapter is heard at each of its places.
 *
 * One number serves all states: of numbers of their own those of the finest go to nothing, and edits lose what they should
 * keep (docs/decisions/2026-11-29-edit-strength.md).
 */
export class EditStrengths extends Strengths {
  /** The same strength at every place of `adapter`. */
  static alike(adapter: Pick<EditBranch, "places">, strength: number): EditStrengths {
    return new EditStrengths(alike(adapter.places(), strength));
  }

  /** What is heard of what the adapter adds; at one it is that, bit for bit. */
  heard({ down, mid, output }: Residuals): Residuals {
    const strength = this.#at(STATES);
    return {
      down: down.map((state) => state.mul(strength)),
      mid: mid.mul(strength),
      ...(output && {
        output: (alone, state) => between(alone, output(alone, state), this.#at(OUTPUT)),
      }),
    };
  }

  #at(place: string): Tensor {
    const strength = this.get(place);
    if (strength) return strength.value;
    throw new ConfigError(
      `expected a strength at each place of the edit adapter, none for ${place}`,
    );
  }
}
