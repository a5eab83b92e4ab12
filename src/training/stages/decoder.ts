import type { EditText } from "../../data/caches/latents.ts";
import type { CachedItems } from "../../data/caches/shards.ts";
import { bytesToPixels } from "../../data/pixels.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { Rng } from "../../engine/random.ts";
import { Tensor, type Float, type Pixels } from "../../engine/tensor.ts";
import type { Autoencoder } from "../../models/vae/autoencoder.ts";
import type { Parameters } from "../../nn/module.ts";
import { sampleNumbers, type TrainConfig } from "../config.ts";
import type { Losses, Sample, Stage } from "../stage.ts";
import { AUTOENCODER_LOSSES, decodedPsnr } from "./autoencoder.ts";
import { separate } from "./drawings.ts";
import { DecoderSettings } from "./settings.ts";

/** What a decoder learns on by. */
export interface DecoderMaterial {
  /** `drawn`, `encoded` and `picture`, as `openDrawnEdits` keeps them. */
  readonly train: CachedItems<EditText>;
  readonly held: CachedItems<EditText>;
  /** Weights that must not change, beside the encoder's. */
  readonly frozen: Parameters;
}

/** Latents, and the pictures that they should become. */
export interface DecoderBatch {
  readonly latents: Float<"b c h w">;
  readonly pixels: Pixels<"b 3 h w">;
}

/** What latents a picture is decoded from. */
type Source = "drawn" | "encoded";

/**
 * Trains the autoencoder's decoder on, its encoder frozen: latents stay what they are, and with them all that was trained
 * on them. Some pictures are decoded from what the encoder makes of them, others from what the edit adapter draws in their
 * place.
 *
 * Deviation: not in the paper, whose autoencoder is as it came. What an edit adapter is unsure of it draws as a haze, which no
 * picture that was encoded has shown the decoder.
 */
export function decoderStage(
  autoencoder: Autoencoder,
  { train, held, frozen }: DecoderMaterial,
  config: TrainConfig,
): Stage<DecoderBatch> {
  const settings = DecoderSettings.parse(config.stage);
  const trainable = autoencoder.decoderParameters();
  for (const weight of trainable.values()) weight.setRequiresGrad(true);
  const encoder = [...autoencoder.parameters()].filter(([name]) => !trainable.has(name));
  const source = Rng.seed(config.seed).split("decoder");
  const batchOf = (numbers: readonly number[]): DecoderBatch => {
    const chosen = numbers.map((number) => {
      const own = source.split(number);
      const from: Source = own.split("source").uniform() < settings.drawn ? "drawn" : "encoded";
      return { index: own.split("item").integer(train.count), from };
    });
    const rows = chosen.map(({ index, from }) => train.gather(from, [index]));
    return {
      latents: Tensor.cat(rows, 0),
      pixels: pixelsOf(
        train,
        chosen.map(({ index }) => index),
      ),
    };
  };
  return {
    name: "decoder",
    dataset: `generated world, ${train.count} edited frames of the train split, from triplet ${settings.from} on`,
    trainable,
    frozen: new Map([...frozen, ...encoder]),
    lossWeights: AUTOENCODER_LOSSES,
    nextBatch: (step, part) => batchOf(sampleNumbers(config, step, part)),
    losses: ({ latents, pixels }) => decoderLosses(autoencoder, latents, pixels),
    samples: async () => [decodedSheet(autoencoder, held)],
    validate: () => ({
      psnr: heldPsnr(autoencoder, held, "encoded"),
      drawn: heldPsnr(autoencoder, held, "drawn"),
    }),
  };
}

function decoderLosses(
  autoencoder: Autoencoder,
  latents: Float<"b c h w">,
  pixels: Pixels<"b 3 h w">,
): Losses {
  const error = autoencoder.decode(latents).sub(pixels);
  return { absolute: error.abs().mean(), squared: error.square().mean() };
}

/** The right pictures of items, within [-1, 1]. */
function pixelsOf(items: CachedItems<EditText>, indices: readonly number[]): Pixels<"b 3 h w"> {
  return bytesToPixels(items.gather("picture", indices));
}

function heldPsnr(autoencoder: Autoencoder, held: CachedItems<EditText>, from: Source): number {
  const itemAt = (index: number): DecoderBatch => ({
    latents: held.gather(from, [index]),
    pixels: pixelsOf(held, [index]),
  });
  return noGrad(() => decodedPsnr(autoencoder, held.firstIndices(held.count), itemAt));
}

/** Held pictures above what is decoded of them, encoded and drawn. */
function decodedSheet(autoencoder: Autoencoder, held: CachedItems<EditText>): Sample {
  const indices = held.firstIndices(8);
  const decoded = (from: Source): Pixels<"b 3 h w"> =>
    noGrad(() => autoencoder.decode(held.gather(from, indices)).clamp(-1, 1));
  return {
    type: "sheet",
    name: "decoded",
    rows: [pixelsOf(held, indices), decoded("encoded"), decoded("drawn")].map(separate),
    labels: ["the right pictures", "encoded and decoded", "drawn by the edit adapter and decoded"],
  };
}
