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
import { StyleAdapterSettings } from "./style-adapter-settings.ts";
import { noiseBatch, velocityLoss } from "./velocity.ts";

/** What the style adapter's stage works with. */
export interface StyleMaterial {
  /** `picture` [c h w] in the style, with captions that do not name it. */
  readonly train: ShardedCache<string>;
  readonly held: ShardedCache<string>;
  readonly texts: TextCache;
  readonly schedule: Schedule;
  /** Weights that must not change, beside the backbone's. */
  readonly frozen: Parameters;
  readonly draw: () => readonly Sample[];
}

/** Pictures in the style with what is said of them. */
export interface StyledBatch {
  readonly x0: Float<"b c h w">;
  readonly text: Float<"b n d">;
}

/** Trains a LoRA of the frozen backbone on pictures in one style, until it draws whatever it is told in that (§4.4). */
export function styleAdapterStage(
  unet: UNet,
  style: Lora,
  { train, held, texts, schedule, frozen, draw }: StyleMaterial,
  config: TrainConfig,
): Stage<StyledBatch> {
  const settings = StyleAdapterSettings.parse(config.stage);
  const loss = ({ x0, text }: StyledBatch, rng: Rng): Float<""> => {
    const noised = noiseBatch(x0, schedule, rng, { bias: 1 });
    const lora = style.on(unet);
    return velocityLoss(unet.forward(noised.xt, noised.labels, text, { lora }), noised);
  };
  const source = Rng.seed(config.seed).split("style");
  const batchOf = (numbers: readonly number[]): StyledBatch => {
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
    name: "style-adapter",
    dataset: `generated world, ${train.count} pictures of the train split in ${settings.style}`,
    trainable: style.parameters(),
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
