import { rearrange } from "../../engine/axes.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { ShardedCache } from "../../data/caches/shards.ts";
import type { TextCache } from "../../data/caches/text-cache.ts";
import { firstFrameCondition, type TemporalLayers } from "../../models/temporal/temporal-layers.ts";
import type { UNet } from "../../models/unet/unet.ts";
import { parametersOf } from "../../nn/module.ts";
import { sampleNumbers, type TrainConfig } from "../config.ts";
import type { Stage } from "../stage.ts";
import type { LatentMaterial } from "./backbone.ts";
import { VideoAdapterSettings } from "./settings.ts";
import { noiseBatch, velocityLoss } from "./velocity.ts";

/** Clips with what they are drawn from. */
export interface ClipBatch {
  /** Clean latents. */
  readonly clips: Float<"b f c h w">;
  /** Token features of the captions. */
  readonly text: Float<"b n d">;
  /** Latent of each first frame and a mask of ones; zeros where it is left out. */
  readonly firstFrame: Float<"b e h w">;
}

/** Clips of the validation split that losses are measured on. */
export const HELD_CLIPS = 32;

/** Trains the temporal layers on unedited clips, given caption and first frame; the backbone is frozen (§3.1). */
export function videoAdapterStage(
  unet: UNet,
  layers: TemporalLayers,
  material: LatentMaterial<string>,
  config: TrainConfig,
): Stage<ClipBatch> {
  const settings = VideoAdapterSettings.parse(config.stage);
  const { train, held, texts, schedule, frozen, draw } = material;
  const loss = ({ clips, text, firstFrame }: ClipBatch, rng: Rng): Float<""> => {
    const frames = clips.shape[1]!;
    const { noiseBias: bias, sharedNoise } = settings;
    const times = { group: frames, bias, sharedNoise };
    const noised = noiseBatch(rearrange(clips, "b f c h w -> (b f) c h w"), schedule, rng, times);
    const temporal = layers.on(unet, { frames, condition: firstFrame });
    return velocityLoss(unet.forward(noised.xt, noised.labels, text, { temporal }), noised);
  };
  const source = Rng.seed(config.seed).split("video");
  return {
    name: "video-adapter",
    dataset: `generated world, ${train.count} clips of the train split with captions`,
    trainable: layers.parameters(),
    frozen: new Map([...frozen, ...parametersOf({ backbone: unet })]),
    lossWeights: {},
    nextBatch: (step, part) =>
      clipBatch(train, texts, sampleNumbers(config, step, part), source, settings),
    losses: (batch, rng) => ({ velocity: loss(batch, rng) }),
    validate: () => {
      const numbers = held.firstIndices(HELD_CLIPS);
      using _ = tensorScope();
      const batch = clipBatch(held, texts, numbers, null, settings);
      return { velocity: noGrad(() => loss(batch, Rng.seed(0).split("held"))).item() };
    },
    samples: async () => draw(),
  };
}

/** Clips drawn at random for `numbers`, or the clips of those numbers, nothing left out, where there is no `rng`. */
function clipBatch(
  cache: ShardedCache<string>,
  texts: TextCache,
  numbers: readonly number[],
  rng: Rng | null,
  { dropCaption, dropPicture }: VideoAdapterSettings,
): ClipBatch {
  const chosen = numbers.map((number) => {
    if (!rng) return { index: number, sentence: cache.text(number), kept: 1 };
    const own = rng.split(number);
    const index = own.split("item").integer(cache.count);
    const isDropped = own.split("caption").uniform() < dropCaption;
    const kept = own.split("picture").uniform() < dropPicture ? 0 : 1;
    return { index, sentence: isDropped ? "" : cache.text(index), kept };
  });
  const clips = cache.gather(
    "clip",
    chosen.map(({ index }) => index),
  );
  const kept = Tensor.from(
    chosen.map((item) => item.kept),
    [chosen.length, 1, 1, 1],
  );
  return {
    clips,
    text: texts.features(chosen.map(({ sentence }) => sentence)),
    firstFrame: firstFrameCondition(clips.select(1, 0)).mul(kept),
  };
}
