import { noGrad } from "../../engine/autodiff.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { EditText } from "../../data/caches/latents.ts";
import type { ShardedCache } from "../../data/caches/shards.ts";
import type { TextCache } from "../../data/caches/text-cache.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import type { UNet } from "../../models/unet/unet.ts";
import { sampleNumbers, type TrainConfig } from "../config.ts";
import type { Sample, Stage } from "../stage.ts";
import { LatentSettings } from "./settings.ts";
import { noiseBatch, velocityLoss } from "./velocity.ts";

/** Items of the validation split that losses are measured on. */
export const HELD_ITEMS = 224;

/** What stages on latents work with. */
export interface LatentMaterial<Text> {
  readonly train: ShardedCache<Text>;
  readonly held: ShardedCache<Text>;
  readonly texts: TextCache;
  readonly schedule: Schedule;
  /** Weights that must not change. */
  readonly frozen: ReadonlyMap<string, Tensor>;
  /** Pictures of what the stage draws. */
  readonly draw: () => readonly Sample[];
}

/** One batch of pictures with what is said of them. */
export interface CaptionedLatents {
  readonly x0: Float<"b c h w">;
  readonly text: Float<"b n d">;
}

/** Trains the text-to-image backbone on single pictures, before and after edits, with their captions. */
export function backboneStage(
  unet: UNet,
  material: LatentMaterial<EditText>,
  config: TrainConfig,
): Stage<CaptionedLatents> {
  const settings = LatentSettings.parse(config.stage);
  const { train, held, texts, schedule, frozen, draw } = material;
  const loss = ({ x0, text }: CaptionedLatents, rng: Rng): Float<""> => {
    const noised = noiseBatch(x0, schedule, rng, { bias: settings.noiseBias });
    return velocityLoss(unet.forward(noised.xt, noised.labels, text), noised);
  };
  return {
    name: "backbone",
    dataset: `generated world, ${2 * train.count} pictures of the train split with captions`,
    trainable: unet.parameters(),
    frozen,
    lossWeights: {},
    nextBatch: (step, part) => {
      const numbers = sampleNumbers(config, step, part);
      return captioned(
        train,
        texts,
        numbers,
        Rng.seed(config.seed).split("backbone"),
        settings.dropCaption,
      );
    },
    losses: (batch, rng) => ({ velocity: loss(batch, rng) }),
    validate: () => ({ velocity: heldVelocity(held, texts, loss) }),
    samples: async () => draw(),
  };
}

function captioned(
  cache: ShardedCache<EditText>,
  texts: TextCache,
  numbers: readonly number[],
  rng: Rng,
  dropCaption: number,
): CaptionedLatents {
  const chosen = numbers.map((number) => {
    const own = rng.split(number);
    const index = own.split("item").integer(cache.count);
    const isAfter = own.split("side").uniform() < 0.5;
    const { inputCaption, outputCaption } = cache.text(index);
    const isDropped = own.split("drop").uniform() < dropCaption;
    return {
      index,
      isAfter,
      sentence: isDropped ? "" : isAfter ? outputCaption : inputCaption,
    };
  });
  const indices = chosen.map(({ index }) => index);
  const isAfter = Tensor.from(
    chosen.map((item) => (item.isAfter ? 1 : 0)),
    [chosen.length, 1, 1, 1],
  ).gt(0);
  const x0 = Tensor.where(isAfter, cache.gather("after", indices), cache.gather("before", indices));
  return { x0, text: texts.features(chosen.map(({ sentence }) => sentence)) };
}

function heldVelocity(
  held: ShardedCache<EditText>,
  texts: TextCache,
  loss: (batch: CaptionedLatents, rng: Rng) => Float<"">,
): number {
  const numbers = held.firstIndices(HELD_ITEMS);
  const rng = Rng.seed(0).split("held");
  using _ = tensorScope();
  return noGrad(() => loss(captioned(held, texts, numbers, rng, 0), rng)).item();
}
