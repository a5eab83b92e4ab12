import { describe, expect, test } from "vitest";
import { rearrange } from "../engine/axes.ts";
import { normal, Rng } from "../engine/random.ts";
import { Tensor } from "../engine/tensor.ts";
import type { Denoiser } from "./denoiser.ts";
import { withKnownFrames } from "./known-frames.ts";
import { toPrediction } from "./prediction.ts";
import { ddim, dpmSolver, finish } from "./samplers.ts";
import { createSchedule } from "./schedule.ts";

const [CLIPS, FRAMES, KNOWN] = [2, 5, 2];
const schedule = createSchedule({ zeroTerminalSnr: true });
const clips = normal(Rng.seed(1).split("noise"), [CLIPS, FRAMES, 2, 3, 3]);
const xT = rearrange(clips, "b f c h w -> (b f) c h w");
const clean = normal(Rng.seed(2).split("clean"), [CLIPS, KNOWN, 2, 3, 3]);
const noise = clips.narrow(1, 0, KNOWN);
const known = { clean, noise, schedule };

function largest(difference: Tensor): number {
  return difference.abs().max().item();
}

function splitClips(frames: Tensor): { readonly first: Tensor; readonly rest: Tensor } {
  const split = rearrange(frames, "(b f) c h w -> b f c h w", { b: CLIPS });
  return { first: split.narrow(1, 0, KNOWN), rest: split.narrow(1, KNOWN, FRAMES - KNOWN) };
}

/** A denoiser that is wrong everywhere: it shrinks what it sees. `seen` gets what it was shown. */
function wrongDenoiser(seen: { xt: Tensor; t: number }[] = []): Denoiser<null> {
  return {
    predict(xt, t) {
      if (typeof t === "number") seen.push({ xt: xt.clone(), t });
      return toPrediction("v", xt.mul(0.3), { xt, t, schedule });
    },
  };
}

describe("withKnownFrames", () => {
  test.each([
    ["DDIM", ddim],
    ["DPM-Solver++", dpmSolver],
  ])("%s ends with the known frames exactly, however wrong the network is", (_, sampler) => {
    const denoiser = withKnownFrames(wrongDenoiser(), known);
    const result = finish(sampler(denoiser, xT, null, { schedule, steps: 5 }));
    expect(largest(splitClips(result).first.sub(clean))).toBe(0);
  });

  test("shows the network the known frames at the noise level of the step", () => {
    const seen: { xt: Tensor; t: number }[] = [];
    const denoiser = withKnownFrames(wrongDenoiser(seen), known);
    for (const t of [999, 600, 20]) denoiser.predict(xT, t, null);
    expect(seen.map(({ t }) => t)).toEqual([999, 600, 20]);
    for (const { xt, t } of seen) {
      const { first, rest } = splitClips(xt);
      expect(largest(first.sub(schedule.addNoise(clean, noise, t)))).toBe(0);
      expect(largest(rest.sub(splitClips(xT).rest))).toBe(0);
    }
  });

  test("leaves the other frames to the network", () => {
    const held = withKnownFrames(wrongDenoiser(), known).predict(xT, 600, null);
    const alone = wrongDenoiser().predict(xT, 600, null);
    expect(largest(splitClips(held.x0).rest.sub(splitClips(alone.x0).rest))).toBe(0);
    expect(largest(splitClips(held.noise).rest.sub(splitClips(alone.noise).rest))).toBe(0);
  });

  test("keeps picture and noise two halves of one sample", () => {
    const seen: { xt: Tensor; t: number }[] = [];
    const { x0, noise: split } = withKnownFrames(wrongDenoiser(seen), known).predict(xT, 600, null);
    const again = x0.mul(schedule.alpha(600)).add(split.mul(schedule.sigma(600)));
    expect(largest(again.sub(seen[0]!.xt))).toBeLessThan(1e-5); // float32, of values up to 4
  });

  test("lets gradients reach the frames behind the known ones alone", () => {
    const noisy = xT.clone().setRequiresGrad(true);
    const { x0 } = withKnownFrames(wrongDenoiser(), known).predict(noisy, 600, null);
    x0.square().sum().backward();
    const { first, rest } = splitClips(noisy.grad!);
    expect(largest(first)).toBe(0);
    expect(Math.min(...rest.abs().contiguous().toFloat32Array())).toBeGreaterThan(0);
  });
});
