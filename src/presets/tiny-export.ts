import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { openFrameCache } from "../data/caches/frame-cache.ts";
import { nearestModel } from "../editing/settings/model-path.ts";
import { noGrad } from "../engine/autodiff.ts";
import { firstFault } from "../engine/config.ts";
import { DataError, UserError } from "../engine/errors.ts";
import { jsonOf } from "../engine/json.ts";
import { Rng } from "../engine/random.ts";
import { loadSafetensors } from "../engine/safetensors.ts";
import { tensorScope } from "../engine/scope.ts";
import { Tensor } from "../engine/tensor.ts";
import {
  autoencoderHash,
  ModelFolder,
  PARTS,
  TEACHER_PARTS,
  type AlignmentName,
  type Part,
  type PartContent,
} from "../eve/model/model-folder.ts";
import type { AlignmentPart, LookAdapterConfig } from "../eve/stack/alignment-config.ts";
import { strengthKind, type StrengthKind } from "../eve/stack/alignment-weights.ts";
import { Autoencoder, isOfDecoder } from "../models/vae/autoencoder.ts";
import { VaeConfig } from "../models/vae/config.ts";
import { copyParameters, fitFaults, refuseFaults, type Parameters } from "../nn/module.ts";
import { averagesIn, newestCheckpoint, receiptIn } from "../training/checkpoint.ts";
import { alignmentPartOf } from "../training/stages/combined-look.ts";
import { DistillationSettings } from "../training/stages/distillation-settings.ts";
import {
  StyleAdapterSettings,
  SubjectAdapterSettings,
} from "../training/stages/look-adapter-settings.ts";
import { DecoderSettings } from "../training/stages/settings.ts";
import { visionWeights } from "../training/stages/vision.ts";
import {
  TINY,
  TINY_AUTOENCODER,
  TINY_SIZE,
  tinyPartConfig,
  tinyTextEncoder,
} from "./tiny-networks.ts";
import { tinyTokenizer } from "./tiny-tokenizer.ts";

/** Pictures from which the mean and deviation of latents are taken. */
const STATISTICS_PICTURES = 256;

/** How a part is exported. */
export interface ExportOptions {
  /** Folder of rendered pictures. */
  readonly cache: string;
  /** Whether a run that is not finished gives its newest checkpoint; default false. */
  readonly isUnfinishedTaken?: boolean;
  /**
   * How far weights go from those of the part that is there to the run's, from 0 to 1; default 1, all the way. A run that went
   * on from that part and its start have a mean that is often better than either (Wortsman et al. 2022, "Robust fine-tuning").
   */
  readonly share?: number;
}

/** Where the weights to export lie, and what says how they came to be. */
interface Trained {
  readonly weights: string;
  readonly receipt: string;
}

/**
 * What a finished run has left, or, where `isUnfinishedTaken`, the newest checkpoint of one that is not. A run that goes on
 * behind its end is not finished.
 */
function trainedBy(stage: string, run: string, isUnfinishedTaken: boolean): Trained {
  const finished = {
    weights: join(run, "weights", `${stage}.safetensors`),
    receipt: join(run, "receipt.json"),
  };
  const newest = newestCheckpoint(run);
  const told = newest === undefined ? "" : receiptIn(newest);
  const isTold = newest !== undefined && existsSync(told);
  const isFinished = existsSync(finished.weights);
  const isContinued = isFinished && isTold && stepsIn(told) > stepsIn(finished.receipt);
  if (isFinished && !isContinued) return finished;
  if (isUnfinishedTaken && isTold) return { weights: averagesIn(newest), receipt: told };
  const other = isTold ? ", or take its newest checkpoint with --unfinished" : "";
  const found = isContinued ? "those from before it was continued" : "none";
  throw new UserError(
    `expected the weights of a finished run at ${finished.weights}, found ${found}: finish it with "./eve train ${stage}"${other}`,
  );
}

/** Of what stage a run is. */
const OwnReceipt = z.looseObject({ stage: z.string().optional() });

const Steps = z.looseObject({ steps: z.number() });

/** The steps that a receipt tells of; 0 where it tells none. */
function stepsIn(receipt: string): number {
  return Steps.safeParse(jsonOf(readFileSync(receipt, "utf8"))).data?.steps ?? 0;
}

/**
 * Puts the averaged weights of a finished run into a model folder, in float16, with their receipt.
 *
 * With `isUnfinishedTaken` a run that was stopped gives those of its newest checkpoint; the receipt tells its steps.
 */
export async function exportTinyPart(
  stage: string,
  run: string,
  target: ModelFolder,
  { cache, isUnfinishedTaken = false, share = 1 }: ExportOptions,
): Promise<Part> {
  const known = PARTS.find((name) => stagesOf(name).includes(stage));
  if (known === undefined) {
    const stages = [...new Set(PARTS.flatMap(stagesOf))].join(", ");
    throw new UserError(`expected a stage among ${stages}, got "${stage}"`);
  }
  const trained = trainedBy(stage, run, isUnfinishedTaken);
  const receipt = checkedReceipt(OwnReceipt, jsonOf(readFileSync(trained.receipt, "utf8")));
  if (receipt.stage !== undefined && receipt.stage !== stage) {
    throw new UserError(
      `expected a run of ${stage} in ${run}, found one of ${receipt.stage}: give its directory with --run`,
    );
  }
  const part = known === "alignment" ? alignmentName(receipt) : known;
  const origin = { receipt, cache, target };
  const weights = loadSafetensors(trained.weights);
  const content =
    stage === "decoder"
      ? withDecoder(weights, origin)
      : { receipt, ...(await partContent(part, weights, origin)) };
  requireAlike(part, content, { target, source: trained.weights });
  if (stage !== "distillation") target.describe(TINY);
  target.savePart(part, share === 1 ? content : averaged(part, content, target, share));
  return part;
}

/**
 * Throws a DataError where the part that is there is of the same config and has weights of other names or shapes: those of a
 * run of another version would take the place of a part that works.
 */
function requireAlike(
  part: Part,
  { config, weights }: PartContent,
  { target, source }: { readonly target: ModelFolder; readonly source: string },
): void {
  if (!target.has(part) || !isDeepStrictEqual(target.config(part, z.unknown()), config)) return;
  using _ = tensorScope();
  refuseFaults(fitFaults(target.weights(part), weights), source);
}

/** A part between the one that is there and `content`; its receipt holds both. */
function averaged(
  part: Part,
  content: PartContent,
  target: ModelFolder,
  share: number,
): PartContent {
  if (part in TEACHER_PARTS)
    throw new UserError(
      `--share: expected a part that is trained by itself, got ${part}: distil it for its adapters`,
    );
  target.require(part);
  const before = join(target.partPath(part), "weights.safetensors");
  const weights = interpolated(loadSafetensors(before), content.weights, share, before);
  const receipt = {
    averaged: { share, before: target.receipt(part) },
    ...asObject(content.receipt),
  };
  return { ...content, weights, receipt };
}

/** The stages that train a part, in their order. */
export function stagesOf(part: Part): readonly string[] {
  if (part === "autoencoder") return [part, "decoder"];
  return [part in TEACHER_PARTS ? "distillation" : part];
}

/** What the part is made from besides the run's weights. */
interface Origin {
  readonly receipt: unknown;
  readonly cache: string;
  /** The model that the part is for. */
  readonly target: ModelFolder;
}

/** The autoencoder that is there with a decoder that learned on; its receipt holds both. */
function withDecoder(decoder: Parameters, { receipt, target }: Origin): PartContent {
  const { model } = checkedReceipt(DecoderReceipt, receipt).config.stage;
  const source = new ModelFolder(nearestModel(model));
  for (const folder of [source, target]) folder.require("autoencoder");
  if (autoencoderHash(source) !== autoencoderHash(target)) {
    throw new UserError(
      `expected the encoder that the decoder was trained for, that of ${model}, in ${target.path}, which has another: ` +
        "export to that model, or train the decoder again",
    );
  }
  const weights = new Map(target.weights("autoencoder"));
  const own = new Map([...weights].filter(([name]) => isOfDecoder(name)));
  const now = copiedOnto(own, decoder, "the run's decoder");
  return {
    config: target.config("autoencoder", VaeConfig),
    weights: new Map([...weights, ...now]),
    receipt: { before: target.receipt("autoencoder"), ...asObject(receipt) },
  };
}

async function partContent(
  part: Part,
  weights: Parameters,
  { receipt, cache, target }: Origin,
): Promise<PartContent> {
  switch (part) {
    case "autoencoder":
      return { config: await withStatistics(weights, cache), weights };
    case "text-encoder": {
      const { tokenizer, folder } = tinyTokenizer(cache);
      const files = ["tokenizer.json", "words.json"].map((name) => join(folder, name));
      return { config: tinyTextEncoder(tokenizer.vocabularySize), weights, files };
    }
    case "vision":
      return { config: tinyPartConfig(part), weights: visionWeights(weights) };
    case "alignment":
    case "style-alignment":
    case "subject-alignment":
      return { config: alignmentPart(part, { receipt, weights, target }), weights };
    case "style-adapter": {
      const { style, lora } = checkedReceipt(StyleReceipt, receipt).config.stage;
      const config: LookAdapterConfig = { look: style, ...lora };
      return { config, weights };
    }
    case "subject-adapter": {
      const { subject, lora } = checkedReceipt(SubjectReceipt, receipt).config.stage;
      const config: LookAdapterConfig = { look: subject, ...lora };
      return { config, weights };
    }
    default:
      return { config: tinyPartConfig(part), weights };
  }
}

/** A run of the distillation, and the model that its weights go to. */
interface Alignment {
  readonly receipt: unknown;
  readonly weights: Parameters;
  readonly target: ModelFolder;
}

/** The config of an alignment: its run's, and whose student it is. It fits no model of other teachers. */
function alignmentPart(
  part: AlignmentName,
  { receipt, weights, target }: Alignment,
): AlignmentPart {
  const parts = TEACHER_PARTS[part];
  const { config } = checkedReceipt(DistillationReceipt, receipt);
  const { student, alignment, videoStrength, model } = config.stage;
  const source = new ModelFolder(nearestModel(model));
  for (const folder of [source, target]) folder.require(...parts);
  const teachers = target.hash(parts);
  if (source.hash(parts) !== teachers) {
    throw new UserError(
      `expected the adapters that the run was distilled from, those of ${model}, in ${target.path}, which has others: ` +
        "export to that model, or distil again",
    );
  }
  if (student === "unpretrained") return { student, teachers };
  const isLearned = (kind: StrengthKind): boolean =>
    [...weights.keys()].some((name) => strengthKind(name) === kind);
  return {
    student,
    ...alignment,
    videoStrength: isLearned("videoStrength") ? "learned" : videoStrength,
    editStrength: isLearned("editStrength") ? "learned" : "trained",
    teachers,
  };
}

/** Which combination a run of the distillation aligned. */
function alignmentName(receipt: unknown): AlignmentName {
  return alignmentPartOf(checkedReceipt(DistillationReceipt, receipt).config.stage);
}

const DecoderReceipt = z.looseObject({ config: z.looseObject({ stage: DecoderSettings }) });
const StyleReceipt = z.looseObject({ config: z.looseObject({ stage: StyleAdapterSettings }) });
const SubjectReceipt = z.looseObject({ config: z.looseObject({ stage: SubjectAdapterSettings }) });

const DistillationReceipt = z.looseObject({
  config: z.looseObject({ stage: DistillationSettings }),
});

/** The autoencoder's config with what its latents are centred and scaled by. */
async function withStatistics(weights: Parameters, cache: string): Promise<VaeConfig> {
  const model = new Autoencoder(Rng.seed(0), TINY_AUTOENCODER);
  copyParameters(model.parameters(), weights, "the run's autoencoder");
  const options = {
    folder: cache,
    split: "train",
    count: STATISTICS_PICTURES,
    size: TINY_SIZE,
  } as const;
  const pictures = await openFrameCache(options);
  using _ = tensorScope();
  const latents: Tensor[] = [];
  for (let first = 0; first < STATISTICS_PICTURES; first += 32) {
    const indices = Array.from({ length: 32 }, (__, i) => first + i);
    latents.push(noGrad(() => model.latent(pictures.pixels(indices))));
  }
  const all = Tensor.cat(latents, 0);
  const mean = all.mean([0, 2, 3], { keepDim: true });
  const deviation = all.sub(mean).square().mean([0, 2, 3]).sqrt();
  const rounded = (values: Tensor): number[] =>
    [...values.reshape([-1]).toFloat32Array()].map((v) => Number(v.toFixed(5)));
  return { ...TINY_AUTOENCODER, latentMean: rounded(mean), latentStd: rounded(deviation) };
}

/** Copies of `values`, from `source`, in float32: as many as `like` has, with its names and shapes. */
function copiedOnto(like: Parameters, values: Parameters, source: string): Parameters {
  const copies = new Map([...like].map(([name, weight]) => [name, weight.to("float32").clone()]));
  copyParameters(copies, values, source);
  return copies;
}

/** `(1 − share)·before + share·now` of every weight, in float32; both have the same names and shapes. */
function interpolated(
  before: Parameters,
  now: Parameters,
  share: number,
  path: string,
): Parameters {
  const mixed = copiedOnto(now, before, path);
  for (const [name, weight] of now) {
    using _ = tensorScope();
    const mean = mixed.get(name)!;
    // `lerp` rounds otherwise, and the part that ships was made so
    mean.copyFrom(mean.mul(1 - share).add(weight.to("float32").mul(share)));
  }
  return mixed;
}

const asObject = (receipt: unknown): object => checkedReceipt(z.looseObject({}), receipt);

/** What a run's receipt tells; throws a DataError where that is not what a run of its stage writes. */
function checkedReceipt<Schema extends z.ZodType>(
  schema: Schema,
  receipt: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(receipt);
  if (parsed.success) return parsed.data;
  throw new DataError(
    `expected the receipt of a run of this stage in its receipt.json, got something else (${firstFault(parsed.error)}): bring back the one that the run has written`,
  );
}
