import { z } from "zod";
import { UserError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { readLoraContents } from "../../models/lora-files/contents.ts";
import { saveLora, type Adapted } from "../../models/lora-files/save.ts";
import { UNetConfig } from "../../models/unet/config.ts";
import { UNet } from "../../models/unet/unet.ts";
import { uninitialised } from "../../nn/init.ts";
import type { Lora } from "../../nn/lora.ts";
import type { StrengthValues } from "../adapters/strengths.ts";
import {
  AlignmentPart,
  LookAdapterConfig,
  type AlignmentConfig,
} from "../stack/alignment-config.ts";
import { loadAlignment } from "../stack/alignment-weights.ts";
import { createAlignment } from "../stack/student.ts";
import { ORIGIN_KEY, partIn, strengthsIn, type OriginStrengths } from "./lora-origin.ts";
import type { ModelFolder, Part } from "./model-folder.ts";

/** The parts of a model that are a LoRA beside its backbone. */
export const LORA_PARTS = [
  "alignment",
  "style-adapter",
  "style-alignment",
  "subject-adapter",
  "subject-alignment",
] as const satisfies readonly Part[];
/** The name of a part that is a LoRA. */
export type LoraPart = (typeof LORA_PARTS)[number];

/** What of a training's receipt goes along: nothing that names a machine or a path. */
const Training = z.object({
  stage: z.string().optional(),
  dataset: z.string().optional(),
  steps: z.number().optional(),
  samplesSeen: z.number().optional(),
  configHash: z.string().optional(),
  gitHash: z.string().nullish(),
  versions: z.record(z.string(), z.string()).optional(),
});

/**
 * Writes a part of a model as a public LoRA file, in float16 as it is stored, with where it comes from: the model's name,
 * SHA-256 of the backbone's weights, and the gist of the training's receipt.
 *
 * `loadLora` (`models/lora-files/load.ts`) reads it back.
 */
export function exportLora(folder: ModelFolder, part: LoraPart, path: string): Lora {
  folder.require("backbone", part);
  const unetConfig = folder.config("backbone", UNetConfig);
  const network = uninitialised(() => new UNet(Rng.seed(0), unetConfig));
  const shape = shapeOf(folder, part);
  const lora = uninitialised(() => createAlignment(Rng.seed(0), network, shape));
  using _ = tensorScope();
  const learned = loadAlignment(lora, folder.weights(part), folder.weightsPath(part));
  const fixed = "videoStrength" in shape ? shape.videoStrength : "learned";
  const { videoStrength = fixed === "learned" ? undefined : fixed, editStrength } = learned;
  writeLora(
    path,
    { lora, network },
    {
      part,
      model: folder.description().name,
      backbone: folder.hash(["backbone"]),
      training: Training.safeParse(folder.receipt(part)).data ?? null,
      ...(part === "alignment" && { videoStrength }),
      ...(editStrength && { editStrength }),
    },
  );
  return lora;
}

/** Where the LoRA of a file comes from, and how strongly adapters spoke while an alignment was distilled. */
interface LoraOrigin extends OriginStrengths {
  readonly part: LoraPart;
  /** The model whose backbone it stands beside. */
  readonly model: string;
  readonly backbone?: string;
  readonly training?: z.infer<typeof Training> | null;
}

/** Whether the LoRA of a file aligns the adapters: one that a distillation of them has trained. */
export function isAlignmentFile(path: string): boolean {
  return partIn(readLoraContents(path).metadata) === "alignment";
}

/** How strongly the video adapter is to speak beside the LoRA of a file: as its origin says; 1 where it says nothing. */
export function videoStrengthOf(path: string): number | StrengthValues {
  return strengthsIn(readLoraContents(path).metadata).videoStrength ?? 1;
}

/** Writes a LoRA of a backbone as a public LoRA file in float16, with its origin. */
export function writeLora(path: string, unet: Adapted<UNet>, origin: LoraOrigin): void {
  const metadata = { [ORIGIN_KEY]: JSON.stringify({ program: "open-eve", ...origin }) };
  saveLora(path, { unet }, { metadata, dtype: "float16" });
}

function shapeOf(
  folder: ModelFolder,
  part: LoraPart,
): AlignmentConfig | Extract<AlignmentPart, { student: "aligned" }> {
  if (part === "style-adapter" || part === "subject-adapter")
    return folder.config(part, LookAdapterConfig);
  const config = folder.config(part, AlignmentPart);
  if (config.student === "aligned") return config;
  throw new UserError(
    `expected the ${part} in ${folder.partPath(part)} to be a LoRA, it is a whole student without pretrained adapters`,
  );
}
