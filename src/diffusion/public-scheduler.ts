import { z } from "zod";
import { parseConfig } from "../engine/config.ts";
import { ConfigError } from "../engine/errors.ts";
import { jsonText } from "../engine/json.ts";
import type { Float } from "../engine/tensor.ts";
import type { Denoiser } from "./denoiser.ts";
import { plms } from "./plms.ts";
import type { PredictionKind } from "./prediction.ts";
import { ddim, euler, type SamplerOptions, type Sampling } from "./samplers.ts";
import { createSchedule, type Schedule, type ScheduleConfig } from "./schedule.ts";

/** A sampler with its spacing and its end settled: only the number of steps is open. */
export type PublicSampler = <Condition>(
  denoiser: Denoiser<Condition>,
  noise: Float<"b ...">,
  condition: Condition,
  steps: number,
) => Sampling;

/** What a scheduler_config.json says: the noise levels of training, and how to sample. */
export interface PublicScheduler {
  readonly schedule: Schedule;
  /** What `schedule` was made of. */
  readonly scheduleConfig: ScheduleConfig;
  /** What the network puts out. */
  readonly kind: PredictionKind;
  readonly sampler: PublicSampler;
}

const FILE = "scheduler_config.json";

const KINDS = { epsilon: "noise", v_prediction: "v", sample: "x0" } as const;

// Defaults are those that all diffusers' schedulers share.
const Common = z.looseObject({
  num_train_timesteps: z.int().min(2).default(1000),
  beta_start: z.number().default(0.0001),
  beta_end: z.number().default(0.02),
  beta_schedule: z.enum(["linear", "scaled_linear"]).default("linear"),
  trained_betas: z.null().optional(),
  prediction_type: z.enum(["epsilon", "v_prediction", "sample"]).default("epsilon"),
  rescale_betas_zero_snr: z.boolean().default(false),
});

const Spaced = z.enum(["leading", "linspace", "trailing"]);
const off = z.literal(false);

const Ddim = z.looseObject({
  timestep_spacing: Spaced.default("leading"),
  steps_offset: z.int().nonnegative().default(0),
  set_alpha_to_one: z.boolean().default(true),
  clip_sample: z.boolean().default(true).pipe(off),
  thresholding: off.default(false),
});

const Pndm = z.looseObject({
  timestep_spacing: z.literal("leading").default("leading"),
  steps_offset: z.int().nonnegative().default(0),
  set_alpha_to_one: z.boolean().default(false),
  skip_prk_steps: z.boolean().default(false).pipe(z.literal(true)),
  prediction_type: z.literal("epsilon").default("epsilon"),
});

const Euler = z.looseObject({
  timestep_spacing: Spaced.default("linspace").pipe(z.enum(["leading", "trailing"])),
  steps_offset: z.int().nonnegative().default(0),
  interpolation_type: z.literal("linear").default("linear"),
  timestep_type: z.literal("discrete").default("discrete"),
  final_sigmas_type: z.literal("zero").default("zero"),
  rescale_betas_zero_snr: off.default(false),
  use_karras_sigmas: off.nullish(),
  use_exponential_sigmas: off.nullish(),
  use_beta_sigmas: off.nullish(),
  sigma_min: z.null().optional(),
  sigma_max: z.null().optional(),
});

/** Where a sampler runs, but for the number of steps. */
type Placing = Omit<SamplerOptions, "steps">;

const SAMPLERS: Readonly<Record<string, (json: unknown, schedule: Schedule) => PublicSampler>> = {
  DDIMScheduler(json, schedule) {
    const config = parseConfig(Ddim, json, FILE);
    const placing = { ...placingOf(config, schedule), jumps: "strided" } as const;
    return (denoiser, noise, condition, steps) =>
      ddim(denoiser, noise, condition, { ...placing, steps });
  },
  PNDMScheduler(json, schedule) {
    const placing = placingOf(parseConfig(Pndm, json, FILE), schedule);
    return (denoiser, noise, condition, steps) =>
      plms(denoiser, noise, condition, { ...placing, steps });
  },
  EulerDiscreteScheduler(json, schedule) {
    const config = parseConfig(Euler, json, FILE);
    const placing = placingOf({ ...config, set_alpha_to_one: true }, schedule);
    return (denoiser, noise, condition, steps) =>
      euler(denoiser, noise, condition, { ...placing, steps });
  },
};

/**
 * Reads diffusers' scheduler_config.json: DDIM, PNDM without Runge-Kutta steps, Euler without extras. Whatever else would
 * change samples is a ConfigError.
 *
 * `sampler` overrides the class that the file names, e.g. `DDIMScheduler`; settings that the other class does not know
 * are dropped then, as diffusers does.
 */
export function parsePublicScheduler(json: unknown, sampler?: string): PublicScheduler {
  const common = parseConfig(Common, json, FILE);
  const scheduleConfig: ScheduleConfig = {
    kind: common.beta_schedule,
    steps: common.num_train_timesteps,
    betaStart: common.beta_start,
    betaEnd: common.beta_end,
    zeroTerminalSnr: common.rescale_betas_zero_snr,
  };
  const kind = KINDS[common.prediction_type];
  if (scheduleConfig.zeroTerminalSnr && kind === "noise")
    throw new ConfigError(
      "scheduler_config.json: expected prediction_type v_prediction or sample with rescale_betas_zero_snr, got epsilon, which says nothing of x0 at pure noise",
    );
  const schedule = createSchedule(scheduleConfig);
  const className = sampler ?? common._class_name;
  // names that every object has (`constructor`) are no samplers
  const isKnown = typeof className === "string" && Object.hasOwn(SAMPLERS, className);
  const create = isKnown ? SAMPLERS[className] : undefined;
  if (!create)
    throw new ConfigError(
      `scheduler_config.json: expected a sampler among ${Object.keys(SAMPLERS).join(", ")}, got ${jsonText(className).slice(0, 100)}`,
    );
  return { schedule, scheduleConfig, kind, sampler: create(json, schedule) };
}

function placingOf(
  config: {
    readonly timestep_spacing: Placing["spacing"] & string;
    readonly steps_offset: number;
    readonly set_alpha_to_one: boolean;
  },
  schedule: Schedule,
): Placing {
  return {
    schedule,
    spacing: config.timestep_spacing,
    offset: config.steps_offset,
    end: config.set_alpha_to_one ? "clean" : "first",
  };
}
