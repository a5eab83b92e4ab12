import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { DataError, UserError } from "../../engine/errors.ts";
import { jsonOf } from "../../engine/json.ts";
import { Rng } from "../../engine/random.ts";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { StrengthValues } from "../../eve/adapters/strengths.ts";
import { writeLora } from "../../eve/model/lora-export.ts";
import { loadAlignment } from "../../eve/stack/alignment-weights.ts";
import { createAlignment } from "../../eve/stack/student.ts";
import type { UNet } from "../../models/unet/unet.ts";
import { uninitialised } from "../../nn/init.ts";
import type { Lora } from "../../nn/lora.ts";
import { averagesIn, newestCheckpoint } from "../checkpoint.ts";
import { alignmentPartOf } from "./combined-look.ts";
import { DistillationSettings } from "./distillation-settings.ts";

/** The name under a run's directory that stands for the newest of its weights: `runs/open/last`. */
const LAST = "last";

const RunConfig = z.looseObject({
  stage: z.literal("distillation"),
  config: z.looseObject({ stage: DistillationSettings }),
});

/** The directory of the run that `path` names: the directory itself, or `last` in it; undefined where it is none. */
export function runDirectoryAt(path: string): string | undefined {
  const candidates = basename(path) === LAST ? [dirname(path), path] : [path];
  return candidates.find((folder) => existsSync(join(folder, "config.json")));
}

/** The run of distillation whose weights a file holds, by where it lies; undefined where it is none. */
export function runOfWeights(path: string): string | undefined {
  if (!/^(distillation|ema)\.safetensors$/.test(basename(path))) return undefined;
  const folder = dirname(resolve(path));
  return [dirname(folder), dirname(dirname(folder))].find((directory) => {
    const file = join(directory, "config.json");
    return existsSync(file) && RunConfig.safeParse(jsonOf(readFileSync(file, "utf8"))).success;
  });
}

/** Where the newest weights of a run of distillation lie: the averages of its last checkpoint, or what it ended with. */
export function runWeights(directory: string): string {
  const newest = newestCheckpoint(directory);
  const paths = [
    ...(newest === undefined ? [] : [averagesIn(newest)]),
    join(directory, "weights", "distillation.safetensors"),
  ];
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new UserError(
    `expected a run of "./eve distill" with weights in ${directory}, it has no checkpoint yet: let it train on`,
  );
}

/** The model that a run of distillation aligns: a folder, or the name of one that has none. */
export function runModel(directory: string): string {
  return settingsOf(directory).model;
}

/** What beside its weights decides what the LoRA of a run does: its shape and alpha, and a strength that was not learned. */
export function runLoraSettings(
  directory: string,
): Pick<DistillationSettings, "alignment" | "videoStrength"> {
  const { alignment, videoStrength } = settingsOf(directory);
  return { alignment, videoStrength };
}

/** What a run of distillation has trained. */
export interface RunAlignment {
  readonly lora: Lora;
  /** How strongly its student hears the video adapter. */
  readonly videoStrength: number | StrengthValues;
  /** How strongly it hears the edit adapter, where it learns that. */
  readonly editStrength: StrengthValues | undefined;
}

/** The LoRA that a run of distillation has trained beside `unet`, frozen: by default its newest averaged weights. */
export function loadRunAlignment(
  directory: string,
  unet: UNet,
  path = runWeights(directory),
): RunAlignment {
  const { student, alignment, videoStrength } = settingsOf(directory);
  if (student !== "aligned")
    throw new UserError(
      `expected a run that trained a LoRA, the one in ${directory} trained a whole student`,
    );
  const lora = uninitialised(() => createAlignment(Rng.seed(0), unet, alignment));
  using _ = tensorScope();
  const learned = loadAlignment(lora, loadSafetensors(path), path);
  const { videoStrength: strength = videoStrength, editStrength } = learned;
  return { lora, videoStrength: strength, editStrength };
}

/** Writes the newest LoRA of a run of distillation, beside `unet`, as a public LoRA file in float16. */
export function exportRunLora(directory: string, unet: UNet, path: string): Lora {
  const { lora, videoStrength, editStrength } = loadRunAlignment(directory, unet);
  const settings = settingsOf(directory);
  const part = alignmentPartOf(settings);
  const origin = {
    part,
    model: settings.model,
    ...(part === "alignment" && { videoStrength }),
    ...(editStrength && { editStrength }),
  };
  writeLora(path, { lora, network: unet }, origin);
  return lora;
}

function settingsOf(directory: string): DistillationSettings {
  const file = join(directory, "config.json");
  const parsed = RunConfig.safeParse(jsonOf(readFileSync(file, "utf8")));
  if (!parsed.success) throw new DataError(`${file} is not the config of a run of "./eve distill"`);
  return parsed.data.config.stage;
}
