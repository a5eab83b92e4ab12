import type { Denoiser } from "../../diffusion/denoiser.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import { ConfigError, UserError } from "../../engine/errors.ts";
import { keep, tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float, type Pixels } from "../../engine/tensor.ts";
import type { Tokenizer } from "../../models/text-encoder/tokenizer.ts";
import { latentStride } from "../../models/vae/config.ts";
import { pixelShuffle, pixelUnshuffle } from "../../nn/conv.ts";
import { withLoras, type ApplyLayer, type Lora } from "../../nn/lora.ts";
import { sentenceFeatures } from "../model/coding.ts";
import type { EditTexts } from "../model/edit-model.ts";
import { alignedStudent, frozenStudent } from "../stack/student.ts";
import {
  editTeacher,
  stacked,
  stackedCondition,
  type EditCondition,
  type StackedCondition,
  type StackOptions,
} from "../stack/teachers.ts";
import { OPEN_NAME, OPEN_SIZE } from "./open-name.ts";
import { asHint, decodePictures, encodePictures, type OpenParts } from "./open-parts.ts";

/** Frames that it sees at once: as many as AnimateDiff was trained on, where it has positions for them. */
export function openWindow({ maxFrames }: Pick<OpenParts, "maxFrames">): number {
  return Math.min(16, maxFrames);
}

/** What aligns the public adapters. */
export interface OpenAlignment extends Pick<StackOptions, "videoStrength"> {
  readonly lora: Lora;
  /** Where it was read from. */
  readonly path: string;
}

/** A LoRA by which the backbone draws in a style or a subject of its own. */
export interface OpenLook {
  readonly lora: Lora;
  /** What its updates are multiplied by; 1 is as it was trained. */
  readonly strength: number;
  /** Where it was read from. */
  readonly path: string;
}

/** How an open model is made from its parts. */
export interface OpenModelOptions {
  /** SHA-256 that identifies its weights, those of LoRAs included. */
  readonly hash: string;
  /** What distillation trained; none by default. */
  readonly alignment?: OpenAlignment | null;
  /** LoRAs for all frames, also those that are edited by themselves; their updates add up. None by default. */
  readonly looks?: readonly OpenLook[];
  /** Side of its pictures in pixels; default `OPEN_SIZE`. */
  readonly size?: number;
}

/**
 * The public weights as a video editor: backbone, ControlNet and motion modules, frozen, and a LoRA that aligns them.
 *
 * Without an output caption the backbone reads the instruction, as the ControlNet's own users let it. Half of what that was
 * trained on were instructions.
 */
export class OpenModel {
  readonly path = OPEN_NAME;
  readonly name = OPEN_NAME;
  readonly hash: string;
  /** Looks, and behind them what aligns it. */
  readonly loras: readonly { readonly path: string; readonly strength?: number }[];
  readonly size: number;
  readonly window: number;
  readonly schedule: Schedule;
  readonly hasVideoAdapter = true;
  readonly hasAlignment: boolean;
  readonly tokenizer: Tokenizer;
  /** Twenty steps, and the guidance that Stable Diffusion is used with. */
  readonly defaults = {
    steps: 20,
    guidance: {
      keep: { text: 4, image: 1 },
      balanced: { text: 7.5, image: 1 },
      bold: { text: 12, image: 1 },
    },
  } as const;
  readonly #parts: OpenParts;
  readonly #look: ApplyLayer;
  readonly #stride: number;
  readonly #channels: number;
  readonly #aligned: Denoiser<StackedCondition> | null;

  constructor(
    parts: OpenParts,
    { hash, alignment = null, looks = [], size = OPEN_SIZE }: OpenModelOptions,
  ) {
    const { networks, autoencoder, tokenizer } = parts;
    this.hash = hash;
    this.size = size;
    this.window = openWindow(parts);
    this.schedule = networks.schedule;
    this.hasAlignment = alignment !== null;
    this.loras = [
      ...looks.map(({ path, strength }) => ({ path, strength })),
      ...(alignment ? [{ path: alignment.path }] : []),
    ];
    this.#look = withLoras(networks.unet, looks);
    this.tokenizer = tokenizer;
    this.#parts = parts;
    this.#stride = latentStride(autoencoder.config);
    this.#channels = autoencoder.config.latentChannels;
    this.#aligned =
      alignment && frozenStudent(alignedStudent(networks, alignment.lora, alignment, this.#look));
    if (size % this.#stride !== 0)
      throw new ConfigError(`expected a size divisible by ${this.#stride}, got ${size}`);
  }

  /** The shape of the latents of `frames` pictures, without the pixels that `encode` puts behind them. */
  latentShape(frames: number): readonly number[] {
    const side = this.size / this.#stride;
    return [frames, this.#channels, side, side];
  }

  /** Latents, and behind them the pixels that the ControlNet looks at, those of a latent's place as its channels. */
  encode(pixels: Pixels<"f 3 h w">): Float<"f c h w"> {
    using _ = tensorScope();
    const latents = encodePictures(this.#parts.autoencoder, pixels);
    return keep(Tensor.cat([latents, pixelUnshuffle(pixels, this.#stride)], 1));
  }

  /** Pictures of latents, within [-1, 1]; what stands behind latents is passed over. */
  decode(latents: Float<"f c h w">): Pixels<"f 3 h w"> {
    return decodePictures(this.#parts.autoencoder, this.#latentsOf(latents));
  }

  /** The condition under which every frame of `input`, as `encode` gives it, is edited by itself. */
  editCondition(texts: EditTexts, input: Float<"f c h w">): EditCondition {
    return this.#condition(texts, input, null);
  }

  /** Edits every frame by itself: the edit teacher ψ, in the look of its LoRAs. */
  editTeacher(): Denoiser<EditCondition> {
    return editTeacher(this.#parts.networks, this.#look);
  }

  /** The condition under which the frames of a window are edited together, after their edited first one. */
  stackedCondition(
    texts: EditTexts,
    input: Float<"f c h w">,
    firstFrame: Float<"1 c h w">,
  ): StackedCondition {
    return this.#condition(texts, input, this.#latentsOf(firstFrame));
  }

  /** Both adapters, stacked without alignment: η. */
  stacked(): Denoiser<StackedCondition> {
    return stacked(this.#parts.networks, {}, this.#look);
  }

  /** The same with the LoRA that aligns: φ. */
  aligned(): Denoiser<StackedCondition> {
    if (this.#aligned) return this.#aligned;
    throw new UserError(
      'the open model has no alignment: give one with --lora, or align it with "./eve distill --preset open"',
    );
  }

  #condition(
    { caption, instruction }: EditTexts,
    input: Float<"f c h w">,
    firstFrame: Float<"1 c h w"> | null,
  ): StackedCondition {
    const parts = {
      caption: this.#features(caption === "" ? instruction : caption),
      instruction: this.#features(instruction),
      // the ControlNet has no labels for tasks
      tasks: Tensor.zeros([1], "int64"),
      input: this.#latentsOf(input),
      hint: this.#hintOf(input),
      firstFrame,
    };
    return stackedCondition(parts, this.#features(""));
  }

  #latentsOf(input: Float<"f c h w">): Float<"f c h w"> {
    return input.narrow(1, 0, this.#channels);
  }

  #hintOf(input: Float<"f c h w">): Float<"f 3 _ _"> {
    const pixels = input.narrow(1, this.#channels, 3 * this.#stride ** 2);
    return asHint(pixelShuffle(pixels, this.#stride));
  }

  #features(sentence: string): Float<"1 n d"> {
    return sentenceFeatures(this.#parts.textEncoder, this.tokenizer, sentence);
  }
}
