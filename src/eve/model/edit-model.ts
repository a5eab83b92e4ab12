import { join } from "node:path";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import { createSchedule, type Schedule } from "../../diffusion/schedule.ts";
import { ConfigError, DataError, UserError } from "../../engine/errors.ts";
import { Tensor, type Float, type Pixels } from "../../engine/tensor.ts";
import type { RestoreDetail } from "../../models/detail/detail-gates.ts";
import type { TextEncoder } from "../../models/text-encoder/text-encoder.ts";
import type { Tokenizer } from "../../models/text-encoder/tokenizer.ts";
import type { Autoencoder } from "../../models/vae/autoencoder.ts";
import { latentStride } from "../../models/vae/config.ts";
import { frozenStudent } from "../stack/student.ts";
import {
  backboneDenoiser,
  editTeacher,
  stacked,
  stackedCondition,
  videoTeacher,
  type CaptionCondition,
  type EditCondition,
  type Networks,
  type StackedCondition,
  type VideoCondition,
} from "../stack/teachers.ts";
import { decodeLatents, encodePixels, restoredDetail, sentenceFeatures } from "./coding.ts";
import { requireMatching } from "./matching-parts.ts";
import type { ModelDescription, SamplingDefaults } from "./model-description.ts";
import { EDITING_PARTS, ModelFolder, type PartsElsewhere } from "./model-folder.ts";
import {
  loadAutoencoder,
  loadBackbone,
  loadDetailGates,
  loadEditAdapter,
  loadLook,
  loadStudent,
  loadTextEncoder,
  loadVideoAdapter,
} from "./parts.ts";

/** The words of an edit. */
export interface EditTexts {
  /** What the result shows, `c_out`; empty where it is not told. */
  readonly caption: string;
  /** What to change, `c_instruct`. */
  readonly instruction: string;
  /** The task label, one of the model's. */
  readonly task: string;
}

/** What a combination with the edit adapter is of (§4.4). */
type LookType = "style" | "subject";

/** Another combination of adapters (§4.4): pictures edited with a look that the backbone draws by a LoRA. */
export interface LookEditors {
  /** What the look is called. */
  readonly look: string;
  /** Both attached, not aligned. */
  readonly stacked: Denoiser<StackedCondition>;
  /** Aligned by distillation; null where they have not been. */
  readonly aligned: Denoiser<StackedCondition> | null;
}

/** Frames that go through the autoencoder at once. */
const CODING_BATCH = 16;
/** Frames of a window where no video adapter says how many. */
const DEFAULT_WINDOW = 8;

/** A whole model, loaded and frozen: the autoencoder, the texts' encoder, the backbone and its adapters. */
export class EditModel {
  readonly path: string;
  readonly name: string;
  /** SHA-256 of all weights and configs, and of how it is sampled. */
  readonly hash: string;
  /** Side of its square pictures, in pixels. */
  readonly size: number;
  /** Frames that the video adapter sees at once. */
  readonly window: number;
  readonly schedule: Schedule;
  /** How it is sampled where nobody asks for anything else. */
  readonly defaults: Partial<SamplingDefaults>;
  readonly tokenizer: Tokenizer;
  readonly hasVideoAdapter: boolean;
  /** Absent where it has not been learned. */
  readonly restoreDetail?: RestoreDetail;
  /** Whether its adapters have been aligned with each other. */
  readonly hasAlignment: boolean;
  readonly #autoencoder: Autoencoder;
  readonly #textEncoder: TextEncoder;
  /** The frozen networks; teachers and student are views of them. */
  readonly networks: Networks;
  /** The tasks it has labels for. */
  readonly tasks: readonly string[];
  readonly #aligned: Denoiser<StackedCondition> | null;
  /** The edit adapter with a style adapter, and with a subject adapter; null where the model has none. */
  readonly looks: Readonly<Record<LookType, LookEditors | null>>;

  constructor(folder: ModelFolder, description: ModelDescription) {
    const { name, size, prediction, schedule, sampling = {} } = description;
    folder.require("autoencoder", "text-encoder", "backbone", "edit-adapter");
    const unet = loadBackbone(folder);
    const video = folder.has("video-adapter") ? loadVideoAdapter(folder, unet) : null;
    const { encoder, tokenizer } = loadTextEncoder(folder);
    this.path = folder.path;
    this.name = name;
    this.size = size;
    this.window = video?.window ?? DEFAULT_WINDOW;
    this.schedule = createSchedule(schedule);
    this.defaults = sampling;
    this.tokenizer = tokenizer;
    this.hasVideoAdapter = video !== null;
    this.#autoencoder = loadAutoencoder(folder);
    this.#textEncoder = encoder;
    requireMatching(folder, {
      size,
      autoencoder: this.#autoencoder.config,
      backbone: unet.config,
      textEncoder: encoder.config,
    });
    if (folder.has("detail-gates")) {
      const gates = loadDetailGates(folder);
      this.restoreDetail = (pictures) => restoredDetail(gates, pictures);
    }
    const editAdapter = loadEditAdapter(folder, unet);
    this.tasks = editAdapter.config.tasks;
    requireKnown(Object.keys(this.defaults.textGuidance ?? {}), this.tasks, folder);
    this.networks = {
      unet,
      editAdapter,
      videoAdapter: video?.layers ?? null,
      schedule: this.schedule,
      kind: prediction,
    };
    this.hasAlignment = this.hasVideoAdapter && folder.has("alignment");
    this.#aligned = this.hasAlignment ? frozenStudent(loadStudent(folder, this.networks)) : null;
    this.looks = {
      style: this.#lookEditors(folder, "style"),
      subject: this.#lookEditors(folder, "subject"),
    };
    // last: a config that no part can be built from is named by what builds it
    this.hash = folder.identity(EDITING_PARTS.filter((part) => folder.has(part)));
  }

  #lookEditors(folder: ModelFolder, type: LookType): LookEditors | null {
    if (!folder.has(`${type}-adapter`)) return null;
    const { config, look } = loadLook(folder, this.networks.unet, `${type}-adapter`);
    const networks = { ...this.networks, videoAdapter: null, look };
    const alignment = `${type}-alignment` as const;
    return {
      look: config.look,
      stacked: stacked(networks),
      aligned: folder.has(alignment)
        ? frozenStudent(loadStudent(folder, networks, alignment))
        : null,
    };
  }

  /** Loads the model in the folder at `path`; parts that lie `elsewhere` are taken from there. */
  static load(path: string, elsewhere: PartsElsewhere = {}): EditModel {
    const folder = new ModelFolder(path, elsewhere);
    return new EditModel(folder, folder.description());
  }

  /** The shape of the latents of `frames` pictures. */
  latentShape(frames: number): readonly number[] {
    const { config } = this.#autoencoder;
    const side = this.size / latentStride(config);
    return [frames, config.latentChannels, side, side];
  }

  /** Latents of square pictures. */
  encode(pixels: Pixels<"f 3 h w">): Float<"f c h w"> {
    return encodePixels(this.#autoencoder, pixels, CODING_BATCH);
  }

  /** Pictures of latents, within [-1, 1]. */
  decode(latents: Float<"f c h w">): Pixels<"f 3 h w"> {
    return decodeLatents(this.#autoencoder, latents, CODING_BATCH);
  }

  /** What the backbone alone draws from. */
  captionCondition(caption: string): CaptionCondition {
    return { caption: this.#features(caption) };
  }
  /** The backbone alone, one picture per batch entry. */
  backbone(): Denoiser<CaptionCondition> {
    return backboneDenoiser(this.networks);
  }

  /** The condition under which every frame of `input` is edited by itself. */
  editCondition(texts: EditTexts, input: Float<"f c h w">): EditCondition {
    return this.stackedCondition(texts, input, null);
  }
  /** The edit teacher ψ. */
  editTeacher(): Denoiser<EditCondition> {
    return editTeacher(this.networks);
  }

  /** The condition under which a clip is drawn from a caption and its first frame. */
  videoCondition(caption: string, firstFrame: Float<"1 c h w"> | null): VideoCondition {
    const nothing = this.#features("");
    return {
      caption: this.#features(caption),
      firstFrame,
      withoutText() {
        return { ...this, caption: nothing };
      },
      withoutImage() {
        return { ...this, firstFrame: null };
      },
    };
  }
  /** The video teacher ρ. */
  videoTeacher(): Denoiser<VideoCondition> {
    this.#requireVideoAdapter();
    return videoTeacher(this.networks);
  }

  /** The condition under which the frames of a window are edited together. */
  stackedCondition(
    texts: EditTexts,
    input: Float<"f c h w">,
    firstFrame: Float<"1 c h w"> | null,
  ): StackedCondition {
    const { caption, instruction, task } = texts;
    const number = this.tasks.indexOf(task);
    if (number < 0)
      throw new ConfigError(`expected a task among ${this.tasks.join(", ")}, got "${task}"`);
    const parts = {
      caption: this.#features(caption),
      instruction: this.#features(instruction),
      tasks: Tensor.from([number], [1], "int64"),
      input,
      firstFrame,
    };
    return stackedCondition(parts, this.#features(""));
  }
  /** Both adapters, stacked without alignment: η. */
  stacked(): Denoiser<StackedCondition> {
    this.#requireVideoAdapter();
    return stacked(this.networks);
  }
  /** Both adapters, aligned with each other by distillation: φ. It shares every weight but its own with `stacked`. */
  aligned(): Denoiser<StackedCondition> {
    if (this.#aligned) return this.#aligned;
    throw new UserError(
      `the model in ${this.path} has no alignment: edit with its adapters stacked, or align them with "./eve distill"`,
    );
  }

  #requireVideoAdapter(): void {
    if (this.hasVideoAdapter) return;
    throw new UserError(
      `the model in ${this.path} has no video adapter: edit frame by frame, or train one`,
    );
  }

  #features(sentence: string): Float<"1 n d"> {
    return sentenceFeatures(this.#textEncoder, this.tokenizer, sentence);
  }
}

/** Throws a DataError where `model.json` says how to guide tasks that there are none of. */
function requireKnown(
  guided: readonly string[],
  tasks: readonly string[],
  folder: ModelFolder,
): void {
  const unknown = guided.filter((task) => !tasks.includes(task));
  if (unknown.length === 0) return;
  throw new DataError(
    `${join(folder.path, "model.json")}: expected textGuidance of some of ${tasks.join(", ")}, got ${unknown.join(", ")}`,
  );
}
