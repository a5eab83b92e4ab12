import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { GaussianData } from "../../test/support/gaussian.ts";
import { ConfigError } from "../engine/errors.ts";
import { Tensor } from "../engine/tensor.ts";
import type { Denoiser } from "./denoiser.ts";
import { networkDenoiser } from "./denoiser.ts";
import { targetFor } from "./prediction.ts";
import { parsePublicScheduler, type PublicScheduler } from "./public-scheduler.ts";
import { createSchedule } from "./schedule.ts";

interface Golden {
  readonly start: readonly number[];
  readonly entries: readonly {
    readonly name: string;
    readonly config: Readonly<Record<string, unknown>>;
    readonly runs: readonly {
      readonly steps: number;
      readonly times: readonly number[];
      readonly sample: readonly number[];
    }[];
  }[];
}
const golden = JSON.parse(
  readFileSync(new URL("../../test/golden/samplers/samplers.json", import.meta.url), "utf8"),
) as Golden;
const runs = golden.entries.flatMap(({ name, config, runs: some }) =>
  some.map((run) => ({ name, config, ...run })),
);
const sd15 = golden.entries[0]!.config;

/** The best network for N(0.5, 0.7²), which puts out what `kind` says, behind the one interface. */
function bestDenoiser({ schedule, kind }: PublicScheduler): Denoiser<null> {
  const data = new GaussianData(0.5, 0.7, schedule).denoiser<null>();
  return networkDenoiser({
    schedule,
    kind,
    network: (xt, labels) => {
      const t = labels.toFloat32Array()[0]!;
      return targetFor(kind, data.predict(xt, t, null), t, schedule);
    },
  });
}

describe("samplers of public configurations agree with diffusers", () => {
  test.each(runs)("$name, $steps steps", ({ config, steps, times, sample }) => {
    const scheduler = parsePublicScheduler(config);
    const noise = Tensor.from(Float64Array.from(golden.start), [1, golden.start.length]);
    const seen = [...scheduler.sampler(bestDenoiser(scheduler), noise, null, steps)];
    expect(seen.map(({ t }) => t)).toEqual(times);
    const found = new Float64Array(seen.at(-1)!.x0.toBytes());
    const largest = Math.max(...sample.map(Math.abs));
    // diffusers keeps ᾱ in float32, a running product of 1000 factors
    sample.forEach((value, i) => expect(Math.abs(found[i]! - value) / largest).toBeLessThan(1e-5));
  });
});

describe("parsePublicScheduler", () => {
  test("reads Stable Diffusion 1.5's noise levels as the defaults here", () => {
    const { schedule, scheduleConfig, kind } = parsePublicScheduler(sd15);
    const ours = createSchedule();
    expect(kind).toBe("noise");
    expect(createSchedule(scheduleConfig).alphaBar(999)).toBe(ours.alphaBar(999));
    for (const t of [0, 500, 999]) expect(schedule.alphaBar(t)).toBe(ours.alphaBar(t));
  });

  test("takes diffusers' defaults where a file is silent", () => {
    const { scheduleConfig } = parsePublicScheduler({
      _class_name: "DDIMScheduler",
      clip_sample: false,
    });
    expect(scheduleConfig).toEqual({
      kind: "linear",
      steps: 1000,
      betaStart: 0.0001,
      betaEnd: 0.02,
      zeroTerminalSnr: false,
    });
  });

  test.each([
    ["DDIMScheduler", { clip_sample: false }, true],
    ["PNDMScheduler", { skip_prk_steps: true }, false],
  ])("ends where diffusers' %s does by default", (name, own, isClean) => {
    const end = (told: Readonly<Record<string, unknown>>): number[] => {
      const scheduler = parsePublicScheduler({ _class_name: name, ...own, ...told });
      const noise = Tensor.from(Float64Array.from(golden.start), [1, golden.start.length]);
      const seen = [...scheduler.sampler(bestDenoiser(scheduler), noise, null, 4)];
      return [...new Float64Array(seen.at(-1)!.x0.toBytes())];
    };
    expect(end({})).toEqual(end({ set_alpha_to_one: isClean }));
    expect(end({})).not.toEqual(end({ set_alpha_to_one: !isClean }));
  });

  test.each([
    ["epsilon", "noise"],
    ["v_prediction", "v"],
    ["sample", "x0"],
  ])("knows what a network puts out: %s", (told, kind) => {
    const config = { ...sd15, _class_name: "DDIMScheduler", prediction_type: told };
    expect(parsePublicScheduler(config).kind).toBe(kind);
  });

  test.each([["constructor"], [{}], [null]])("knows no sampler that is called %j", (name) => {
    expect(() => parsePublicScheduler({ ...sd15, _class_name: name })).toThrow(
      `expected a sampler among DDIMScheduler, PNDMScheduler, EulerDiscreteScheduler, got ${JSON.stringify(name)}`,
    );
  });

  test("samples with another class where it is asked to", () => {
    const ancestral = { ...sd15, _class_name: "EulerAncestralDiscreteScheduler" };
    expect(() => parsePublicScheduler(ancestral)).toThrow(
      'expected a sampler among DDIMScheduler, PNDMScheduler, EulerDiscreteScheduler, got "EulerAncestralDiscreteScheduler"',
    );
    const scheduler = parsePublicScheduler(ancestral, "DDIMScheduler");
    const noise = Tensor.from(Float64Array.from(golden.start), [1, golden.start.length]);
    const seen = [...scheduler.sampler(bestDenoiser(scheduler), noise, null, 50)];
    const run = runs.find(({ name, steps }) => name === "DDIM, leading" && steps === 50)!;
    expect(seen.map(({ t }) => t)).toEqual(run.times);
  });

  test.each([
    [{ beta_schedule: "squaredcos_cap_v2" }, /beta_schedule/],
    [{ trained_betas: [0.1, 0.2] }, /trained_betas/],
    [{ skip_prk_steps: false }, /skip_prk_steps/],
    [{ skip_prk_steps: undefined }, /skip_prk_steps/],
    [{ timestep_spacing: "linspace" }, /timestep_spacing/],
    [{ prediction_type: "v_prediction" }, /prediction_type/],
    [{ _class_name: "DDIMScheduler", clip_sample: true }, /clip_sample/],
    [{ _class_name: "DDIMScheduler", clip_sample: undefined }, /clip_sample/],
    [{ _class_name: "DDIMScheduler", thresholding: true }, /thresholding/],
    [{ _class_name: "DDIMScheduler", rescale_betas_zero_snr: true }, /says nothing of x0/],
    [{ _class_name: "EulerDiscreteScheduler" }, /timestep_spacing/],
    [
      {
        _class_name: "EulerDiscreteScheduler",
        timestep_spacing: "trailing",
        use_karras_sigmas: true,
      },
      /use_karras_sigmas/,
    ],
    [{ _class_name: undefined }, /got undefined/],
  ])("refuses %o", (change, message) => {
    const config = { ...sd15, ...change };
    expect(() => parsePublicScheduler(config)).toThrow(ConfigError);
    expect(() => parsePublicScheduler(config)).toThrow(message);
  });

  test.each([
    [{ use_exponential_sigmas: true }, /use_exponential_sigmas/],
    [{ use_beta_sigmas: true }, /use_beta_sigmas/],
    [{ final_sigmas_type: "sigma_min" }, /final_sigmas_type/],
    [{ interpolation_type: "log_linear" }, /interpolation_type/],
    [{ timestep_type: "continuous" }, /timestep_type/],
    [{ sigma_max: 700 }, /sigma_max/],
    [{ prediction_type: "v_prediction", rescale_betas_zero_snr: true }, /rescale_betas_zero_snr/],
  ])("refuses an Euler sampler with %o", (change, message) => {
    const plain = { ...sd15, _class_name: "EulerDiscreteScheduler", timestep_spacing: "trailing" };
    expect(() => parsePublicScheduler(plain)).not.toThrow();
    expect(() => parsePublicScheduler({ ...plain, ...change })).toThrow(ConfigError);
    expect(() => parsePublicScheduler({ ...plain, ...change })).toThrow(message);
  });
});
