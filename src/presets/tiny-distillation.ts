import type { CacheProgress } from "../data/caches/cache-progress.ts";
import { worldInputs, type UneditedSource } from "../data/caches/unedited-clips.ts";
import type { Look } from "../data/world/looks.ts";
import { createSchedule } from "../diffusion/schedule.ts";
import { ConfigError, UserError } from "../engine/errors.ts";
import { Rng } from "../engine/random.ts";
import type { Float, Pixels } from "../engine/tensor.ts";
import type { ModelDescription } from "../eve/model/model-description.ts";
import { TEACHER_PARTS, type ModelFolder } from "../eve/model/model-folder.ts";
import {
  loadBackbone,
  loadEditAdapter,
  loadLook,
  loadVideoAdapter,
  loadVision,
} from "../eve/model/parts.ts";
import type { Networks } from "../eve/stack/teachers.ts";
import { parametersOf } from "../nn/module.ts";
import type { TrainConfig } from "../training/config.ts";
import type { Stage, StageContext } from "../training/stage.ts";
import { alignmentPartOf, combinedLook } from "../training/stages/combined-look.ts";
import { openCombinationInputs } from "../training/stages/combination-inputs.ts";
import { drawAlignment } from "../training/stages/distillation-drawings.ts";
import {
  openDistillationInputs,
  withoutCritics,
  type DistillationInputsOptions,
} from "../training/stages/distillation-inputs.ts";
import { DistillationSettings, hasCritics } from "../training/stages/distillation-settings.ts";
import { requireTimes } from "../training/stages/distillation-times.ts";
import { distillationStage } from "../training/stages/distillation.ts";
import { openCritics } from "./critics.ts";
import { openOwnInputs, type OpenedInputs } from "./own-inputs.ts";
import { openWorkshop } from "./tiny-workshop.ts";

/** The alignment of the adapters that the model folder has, by Factorized Diffusion Distillation. */
export async function openDistillation(config: TrainConfig, context: StageContext): Promise<Stage> {
  const settings = DistillationSettings.parse(config.stage);
  const workshop = openWorkshop(settings, context);
  const { folder, description, autoencoder, textEncoder, texts, report } = workshop;
  const look = combinedLook(settings);
  const parts = TEACHER_PARTS[alignmentPartOf(settings)];
  folder.require(...parts);
  if (hasCritics(settings)) folder.require("vision");
  const { networks, window } = teachersOf(folder, description, look);
  requireTimes(settings, networks.schedule);
  const vision = hasCritics(settings) ? loadVision(folder) : null;
  const textFeatures = textEncoder.config.hiddenSize;
  const decode = (latents: Float<"f c h w">): Pixels<"f 3 h w"> => autoencoder.decode(latents);
  const jury =
    vision &&
    openCritics({ vision, textFeatures, decode }, settings, Rng.seed(config.seed).split("critics"));
  const teachersHash = folder.hash(["text-encoder", ...parts]);
  const source = { ...workshop.latents, frames: window };
  const options = { networks, texts, settings, teachersHash };
  const { train, held, dataset } = await openInputs(source, options, report);
  return distillationStage(
    {
      networks,
      dataset,
      train,
      held,
      texts,
      jury,
      frozen: parametersOf({ autoencoder, textEncoder, ...(vision && { vision }) }),
      draw: (student) => drawAlignment({ networks, decode, texts, held, settings }, student),
    },
    config,
  );
}

/** The inputs that the settings ask for: of the generated world, of a data set, or of another combination (§4.4). */
async function openInputs(
  source: Omit<UneditedSource, "split" | "count">,
  options: DistillationInputsOptions & { readonly settings: DistillationSettings },
  report: (progress: CacheProgress) => void,
): Promise<OpenedInputs> {
  const { settings } = options;
  if (settings.data !== null) return await openOwnInputs(settings.data, source, options, report);
  const { items: count, held } = settings;
  const look = combinedLook(settings);
  if (count === null)
    throw new ConfigError("stage.items: the generated world has no end, give a number");
  const open = async (of: UneditedSource, by: DistillationInputsOptions) =>
    look === null
      ? await openDistillationInputs(worldInputs(of), by, report)
      : await openCombinationInputs(look, of, by, report);
  return {
    train: await open({ ...source, split: "train", count }, options),
    held: await open({ ...source, split: "validation", count: held }, withoutCritics(options)),
    dataset: `generated world, ${count} ${look === null ? "unedited clips" : lookInputs(look, settings)} of the train split with instructions`,
  };
}

function lookInputs({ name }: Look, { combineInputs }: DistillationSettings): string {
  return combineInputs === "drawn"
    ? `pictures that the teacher of ${name} draws by captions`
    : `pictures with ${name}`;
}

/** The frozen networks of a model folder, and how many frames they see at once. */
function teachersOf(
  folder: ModelFolder,
  { schedule, prediction }: ModelDescription,
  wanted: Look | null,
): { networks: Networks; window: number } {
  const unet = loadBackbone(folder);
  const common = {
    unet,
    editAdapter: loadEditAdapter(folder, unet),
    schedule: createSchedule(schedule),
    kind: prediction,
  };
  if (wanted !== null) {
    const { config, look } = loadLook(folder, unet, `${wanted.type}-adapter`);
    if (config.look === wanted.name)
      return { networks: { ...common, videoAdapter: null, look }, window: 1 };
    throw new UserError(
      `expected the model in ${folder.path} to have the ${wanted.type} ${wanted.name}, it has ${config.look}`,
    );
  }
  const { layers, window } = loadVideoAdapter(folder, unet);
  return { networks: { ...common, videoAdapter: layers }, window };
}
