import { ConfigError } from "../../engine/errors.ts";
import { scoped } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { TemporalHooks } from "../../models/unet/pass.ts";
import type { Residuals, UNet } from "../../models/unet/unet.ts";
import { modulesOf } from "../../nn/module-map.ts";
import { Module } from "../../nn/module.ts";
import { BESIDE, type VideoBranch, type VideoParts } from "./branches.ts";
import { alike, between, Strengths, type StrengthValues } from "./strengths.ts";

/** How strongly a video adapter is heard: at all its places alike, 0 to 1, or at each by a number of its own. */
export type VideoStrength = number | VideoStrengths;

/** How strongly a video adapter is heard at each of its places. */
export class VideoStrengths extends Strengths {
  readonly #behind: ReadonlyMap<Module, Tensor>;

  /** `values` by place: paths of layers of `unet`, and `BESIDE`. */
  constructor(unet: UNet, values: StrengthValues) {
    super(values);
    const layers = modulesOf(unet, Module);
    const behind = [...this.entries()].filter(([place]) => place !== BESIDE);
    this.#behind = new Map(
      behind.map(([place, { value }]) => {
        const layer = layers.get(place);
        if (layer) return [layer, value];
        throw new ConfigError(
          `expected strengths of a video adapter at layers of its backbone, which has no ${place}`,
        );
      }),
    );
  }

  /** The same strength at every place of `adapter`. */
  static alike(unet: UNet, adapter: VideoBranch, strength: number): VideoStrengths {
    return new VideoStrengths(unet, alike(adapter.places(unet), strength));
  }

  /** What is heard behind `layer`, by its state without the adapter and with it. */
  mixedBehind(layer: Module, alone: Tensor, heard: Tensor): Tensor {
    return between(alone, heard, known(this.#behind.get(layer), "one of its layers"));
  }

  /** What is heard of what the adapter adds beside the backbone's states. */
  scaledBeside(residual: Tensor): Tensor {
    return residual.mul(known(this.get(BESIDE)?.value, BESIDE));
  }
}

function known(strength: Tensor | undefined, place: string): Tensor {
  if (strength) return strength;
  throw new ConfigError(
    `expected a strength at each place of the video adapter, none for ${place}`,
  );
}

/**
 * The parts of a video adapter with all that they add to the backbone's states multiplied by `strength`: 1 is as they are,
 * 0 as if they were not there.
 */
export function weakened(parts: VideoParts, strength: VideoStrength): VideoParts {
  if (strength === 1) return parts;
  const { temporal, residuals } = parts;
  return {
    ...(temporal && { temporal: weakenedHooks(temporal, strength) }),
    ...(residuals && { residuals: scaled(residuals, strength) }),
  };
}

function weakenedHooks(hooks: TemporalHooks, strength: VideoStrength): TemporalHooks {
  return {
    behind(layer, h) {
      const heard = hooks.behind(layer, h);
      if (heard === h) return h;
      return scoped(() =>
        typeof strength === "number"
          ? h.addScaled(heard.sub(h), strength)
          : strength.mixedBehind(layer, h, heard),
      );
    },
  };
}

function scaled({ down, mid, ...rest }: Residuals, strength: VideoStrength): Residuals {
  const weaker = (state: Tensor): Tensor =>
    typeof strength === "number" ? state.mul(strength) : strength.scaledBeside(state);
  return { ...rest, down: down.map(weaker), mid: weaker(mid) };
}
