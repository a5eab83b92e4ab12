import { noGrad } from "../../engine/autodiff.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import type { ShardedCache } from "../../data/caches/shards.ts";
import type { TextCache } from "../../data/caches/text-cache.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import type { UNet } from "../../models/unet/unet.ts";
import type { Lora } from "../../nn/lora.ts";
import { parametersOf, type Parameters } from "../../nn/module.ts";
import { sampleNumbers, type TrainConfig } from "../config.ts";
import type { Sample, Stage } from "../stage.ts";
import type { Look } from "../../data/world/looks.ts";
import { LookAdapterSettings } from "./look-adapter-settings.ts";
import { noiseBatch, velocityLoss } from "./velocity.ts";

/** What the stage of a look works with. */
export interface LookMaterial {
  readonly look: Look;
  /** `picture` [c h w] with the look, and captions. */
  readonly train: ShardedCache<string>;
  readonly held: ShardedCache<string>;
  readonly texts: TextCache;
  readonly schedule: Schedule;
  /** Weights that must not change, beside the backbone's. */
  readonly frozen: Parameters;
  readonly draw: () => readonly Sample[];
}

/** Pictures with what is said of them. */
export interface LookBatch {
  readonly x0: Float<"b c h w">;
  readonly text: Float<"b n d">;
}

/**
 * Trains a LoRA of the frozen backbone on pictures with one look (§4.4): until it draws whatever it is told in a style,
 * or draws a subject where it is told of it.
 */
export function lookAdapterStage(
  unet: UNet,
  lora: Lora,
  { look, train, held, texts, schedule, frozen, draw }: LookMaterial,
  config: TrainConfig,
): Stage<LookBatch> {
  const settings = LookAdapterSettings.parse(config.stage);
  const loss = ({ x0, text }: LookBatch, rng: Rng): Float<""> => {
    const noised = noiseBatch(x0, schedule, rng);
    const apply = lora.on(unet);
    return velocityLoss(unet.forward(noised.xt, noised.labels, text, { lora: apply }), noised);
  };
  const source = Rng.seed(config.seed).split(look.type);
  const batchOf = (numbers: readonly number[]): LookBatch => {
    const chosen = numbers.map((number) => {
      const own = source.split(number);
      const index = own.split("item").integer(train.count);
      const isDropped = own.split("caption").uniform() < settings.dropCaption;
      return { index, caption: isDropped ? "" : train.text(index) };
    });
    return {
      x0: train.gather(
        "picture",
        chosen.map(({ index }) => index),
      ),
      text: texts.features(chosen.map(({ caption }) => caption)),
    };
  };
  return {
    name: `${look.type}-adapter`,
    dataset: `generated world, ${train.count} pictures of the train split with ${look.name}`,
    trainable: lora.parameters(),
    frozen: new Map([...frozen, ...parametersOf({ backbone: unet })]),
    lossWeights: {},
    nextBatch: (step, part) => batchOf(sampleNumbers(config, step, part)),
    losses: (batch, rng) => ({ velocity: loss(batch, rng) }),
    validate: () => {
      using _ = tensorScope();
      const indices = held.firstIndices(held.count);
      const x0 = held.gather("picture", indices);
      const text = texts.features(indices.map((index) => held.text(index)));
      return { velocity: noGrad(() => loss({ x0, text }, Rng.seed(0).split("held"))).item() };
    },
    samples: async () => draw(),
  };
}
