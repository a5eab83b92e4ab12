import { scoped } from "../engine/scope.ts";
import type { TemporalHooks } from "../models/unet/pass.ts";
import type { Residuals } from "../models/unet/unet.ts";
import type { VideoParts } from "./branches.ts";

/**
 * The parts of a video adapter with all that they add to the backbone's states multiplied by `strength`: 1 is as they are,
 * 0 as if they were not there.
 */
export function weakened(parts: VideoParts, strength: number): VideoParts {
  if (strength === 1) return parts;
  const { temporal, residuals } = parts;
  return {
    ...(temporal && { temporal: weakenedHooks(temporal, strength) }),
    ...(residuals && { residuals: scaled(residuals, strength) }),
  };
}

function weakenedHooks(hooks: TemporalHooks, strength: number): TemporalHooks {
  return {
    behind(layer, h) {
      const heard = hooks.behind(layer, h);
      return heard === h ? h : scoped(() => h.addScaled(heard.sub(h), strength));
    },
  };
}

function scaled({ down, mid, ...rest }: Residuals, strength: number): Residuals {
  return { ...rest, down: down.map((state) => state.mul(strength)), mid: mid.mul(strength) };
}
