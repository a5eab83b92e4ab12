import { describe, expect, test } from "vitest";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import { toPrediction } from "../../diffusion/prediction.ts";
import { ddim, dpmSolver, finish } from "../../diffusion/samplers.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { normal, Rng } from "../../engine/random.ts";
import { Tensor } from "../../engine/tensor.ts";
import { withKnownFrames } from "./known-frames.ts";

const schedule = createSchedule({ zeroTerminalSnr: true });
const shape = [5, 2, 3, 3];
const noise = normal(Rng.seed(1).split("noise"), shape);
const clean = normal(Rng.seed(2).split("clean"), [2, 2, 3, 3]);
const settled = noise.narrow(0, 0, 2);

function largest(difference: Tensor): number {
  return difference.abs().max().item();
}

/** A denoiser that is wrong everywhere: it shrinks what it sees. `seen` gets what it was shown. */
function wrongDenoiser(seen: { xt: Tensor; t: number }[] = []): Denoiser<null> {
  return {
    predict(xt, t) {
      seen.push({ xt: xt.clone(), t });
      return toPrediction("v", xt.mul(0.3), { xt, t, schedule });
    },
  };
}

/** An input that stands still. */
const still = normal(Rng.seed(3).split("input"), [1, 2, 3, 3]).expand(shape);
const known = { clean, noise: settled, schedule, continued: still };

describe("withKnownFrames", () => {
  test.each([
    ["DDIM", ddim],
    ["DPM-Solver++", dpmSolver],
  ])("%s ends with the known frames exactly, however wrong the network is", (_, sampler) => {
    const denoiser = withKnownFrames(wrongDenoiser(), known);
    const result = finish(sampler(denoiser, noise, null, { schedule, steps: 5 }));
    expect(largest(result.narrow(0, 0, 2).sub(clean))).toBe(0);
  });

  test("shows the network the known frames at the noise level of the step", () => {
    const predicted: { xt: Tensor; t: number }[] = [];
    const denoiser = withKnownFrames(wrongDenoiser(predicted), known);
    for (const t of [999, 600, 20]) denoiser.predict(noise, t, null);
    expect(predicted.map(({ t }) => t)).toEqual([999, 600, 20]);
    for (const { xt, t } of predicted) {
      const expected = schedule.addNoise(clean, settled, t);
      expect(largest(xt.narrow(0, 0, 2).sub(expected))).toBe(0);
      expect(largest(xt.narrow(0, 2, 3).sub(noise.narrow(0, 2, 3)))).toBe(0);
    }
  });

  test("leaves the other frames to the network where they continue no window", () => {
    const rest = (denoiser: Denoiser<null>) =>
      denoiser.predict(noise, 600, null).x0.narrow(0, 2, 3);
    const first = withKnownFrames(wrongDenoiser(), { ...known, continued: null });
    expect(largest(rest(first).sub(rest(wrongDenoiser())))).toBe(0);
  });

  test("leaves the other frames to a network that is right about the last known one", () => {
    // It gives back frame 1, which is known to be so, and says anything of the others.
    const right = clean.narrow(0, 1, 1);
    const denoiser: Denoiser<null> = {
      predict(xt, t) {
        const x0 = Tensor.cat([xt.narrow(0, 0, 1), right, xt.narrow(0, 2, 3).mul(0.3)], 0);
        return toPrediction("x0", x0, { xt, t, schedule });
      },
    };
    const { x0 } = withKnownFrames(denoiser, known).predict(noise, 600, null);
    expect(largest(x0.narrow(0, 2, 3).sub(noise.narrow(0, 2, 3).mul(0.3)))).toBe(0);
  });

  test("moves the other frames by what the network lacks on the last known one, ever less", () => {
    const { x0 } = withKnownFrames(wrongDenoiser(), known).predict(noise, 600, null);
    const seen: { xt: Tensor; t: number }[] = [];
    withKnownFrames(wrongDenoiser(seen), known).predict(noise, 600, null);
    const plain = wrongDenoiser().predict(seen[0]!.xt, 600, null).x0;
    const lacking = clean.narrow(0, 1, 1).sub(plain.narrow(0, 1, 1));
    for (const [index, share] of [1, 3 / 4, 2 / 4].entries()) {
      const moved = x0.narrow(0, 2 + index, 1).sub(plain.narrow(0, 2 + index, 1));
      expect(largest(moved.sub(lacking.mul(share)))).toBeLessThan(1e-6); // float32
    }
  });

  test("leaves a place and its neighbours alone in frames where the input shows another thing there", () => {
    const input = Float32Array.from(still.contiguous().toFloat32Array());
    const place = (frame: number, channel: number) => (frame * 2 + channel) * 9; // row 0, column 0
    for (const channel of [0, 1]) input[place(3, channel)]! += 4;
    const moving = { ...known, continued: Tensor.from(input, shape) };
    const [plain, here, everywhere] = [{ ...known, continued: null }, moving, known].map(
      (frames) => withKnownFrames(wrongDenoiser(), frames).predict(noise, 600, null).x0,
    );
    const corner = (x: Tensor) => x.narrow(0, 3, 1).narrow(2, 0, 2).narrow(3, 0, 2);
    expect(largest(corner(here!).sub(corner(plain!)))).toBeLessThan(1e-6); // exp(-16 / 0.3)
    const far = (x: Tensor) => x.narrow(2, 2, 1);
    expect(largest(far(here!).sub(far(everywhere!)))).toBe(0);
    expect(largest(here!.narrow(0, 4, 1).sub(everywhere!.narrow(0, 4, 1)))).toBe(0);
    expect(largest(corner(everywhere!).sub(corner(plain!)))).toBeGreaterThan(0.1);
  });

  test("keeps picture and noise two halves of one sample", () => {
    const { x0, noise: split } = withKnownFrames(wrongDenoiser(), known).predict(noise, 600, null);
    const again = x0.mul(schedule.alpha(600)).add(split.mul(schedule.sigma(600)));
    const shown = Tensor.cat([schedule.addNoise(clean, settled, 600), noise.narrow(0, 2, 3)], 0);
    expect(largest(again.sub(shown))).toBeLessThan(1e-5); // float32, of values up to 4
  });
});
