import { describe, expect, test } from "vitest";
import { largestDifference } from "../../test/support/difference.ts";
import { ConfigError } from "../engine/errors.ts";
import { normal, Rng } from "../engine/random.ts";
import { Tensor } from "../engine/tensor.ts";
import type { Denoiser } from "./denoiser.ts";
import { toPrediction } from "./prediction.ts";
import { ddim, finish } from "./samplers.ts";
import { createSchedule } from "./schedule.ts";
import { atTemperature } from "./temperature.ts";

const noise = normal(Rng.seed(3), [2, 500]);
const schedule = createSchedule({ zeroTerminalSnr: true });

/** Says at every time that the clean sample is one, and keeps what it was shown. */
function witness(): Denoiser<null> & { readonly seen: Float32Array[] } {
  const seen: Float32Array[] = [];
  return {
    seen,
    predict(xt, t) {
      seen.push(xt.toFloat32Array());
      return toPrediction("x0", Tensor.ones(xt.shape), { xt, t, schedule });
    },
  };
}

describe("the temperature of noise", () => {
  test("leaves it at 1, takes all of it away at 0, and is its deviation between them", () => {
    expect(atTemperature(noise)).toBe(noise);
    expect(atTemperature(noise, 1)).toBe(noise);
    expect(atTemperature(noise, 0).abs().max().item()).toBe(0);
    expect(largestDifference(atTemperature(noise, 0.25), noise.mul(0.25))).toBe(0);
  });

  test.each([-0.1, 1.1, Number.NaN])("is no %d", (temperature) => {
    expect(() => atTemperature(noise, temperature)).toThrow(ConfigError);
  });

  test.each([0, 0.5, 1])("is %d at every time that DDIM visits", (temperature) => {
    const denoiser = witness();
    const spacing = [999, 600, 200];
    finish(
      ddim(denoiser, atTemperature(noise, temperature), null, { schedule, steps: 3, spacing }),
    );
    const start = noise.mul(temperature);
    for (const [index, t] of spacing.entries()) {
      const shown = Tensor.from(denoiser.seen[index]!, noise.shape);
      // Zero terminal SNR: nothing of the sample at the first time
      const wanted = index === 0 ? start : schedule.addNoise(Tensor.ones(noise.shape), start, t);
      expect(largestDifference(shown, wanted)).toBeLessThan(1e-5);
    }
  });
});
