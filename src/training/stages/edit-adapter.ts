import { noGrad } from "../../engine/autodiff.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { EditText } from "../../data/caches/latents.ts";
import type { ShardedCache } from "../../data/caches/shards.ts";
import type { TextCache } from "../../data/caches/text-cache.ts";
import { TASKS } from "../../data/world/tasks.ts";
import type { EditInputs } from "../../eve/branches.ts";
import type { EditAdapter } from "../../eve/edit-adapter.ts";
import type { UNet } from "../../models/unet/unet.ts";
import { parametersOf } from "../../nn/module.ts";
import { sampleNumbers, type TrainConfig } from "../config.ts";
import type { Stage } from "../stage.ts";
import { HELD_ITEMS, type LatentMaterial } from "./backbone.ts";
import { LatentSettings } from "./settings.ts";
import { changeWeights, noiseBatch, velocityLoss } from "./velocity.ts";

/** Edited pictures with everything that determines them. */
export interface EditBatch extends EditInputs {
  readonly x0: Float<"b c h w">;
  /** Token features of the output caption, which the backbone reads. */
  readonly caption: Float<"b n d">;
}

/** How often each condition is left out. */
type Drops = Pick<LatentSettings, "dropCaption" | "dropInstruction" | "dropPicture">;

const NO_DROPS: Drops = { dropCaption: 0, dropInstruction: 0, dropPicture: 0 };
const NO_CAPTIONS: Drops = { ...NO_DROPS, dropCaption: 1 };

/** Trains the edit adapter on single frames before and after an edit; the backbone is frozen (§3.1). */
export function editAdapterStage(
  unet: UNet,
  adapter: EditAdapter,
  material: LatentMaterial<EditText>,
  config: TrainConfig,
): Stage<EditBatch> {
  const settings = LatentSettings.parse(config.stage);
  const { train, held, texts, schedule, frozen, draw } = material;
  const loss = (batch: EditBatch, rng: Rng, changeWeight = 0): Float<""> => {
    const noised = noiseBatch(batch.x0, schedule, rng, { bias: settings.noiseBias });
    const residuals = adapter.forward(noised.xt, noised.labels, batch);
    const output = unet.forward(noised.xt, noised.labels, batch.caption, { residuals });
    const weights =
      changeWeight > 0 ? changeWeights(batch.x0, batch.input, changeWeight) : undefined;
    return velocityLoss(output, noised, weights);
  };
  const heldLoss = (drops: Drops): number => {
    const numbers = held.firstIndices(HELD_ITEMS);
    const rng = Rng.seed(0).split("held");
    using _ = tensorScope();
    return noGrad(() => loss(editBatch(held, texts, numbers, { rng: null, drops }), rng)).item();
  };
  const source = Rng.seed(config.seed).split("edit");
  return {
    name: "edit-adapter",
    dataset: `generated world, ${train.count} single-frame triplets of the train split, seven tasks`,
    trainable: adapter.parameters(),
    frozen: new Map([...frozen, ...parametersOf({ backbone: unet })]),
    lossWeights: {},
    nextBatch: (step, part) =>
      editBatch(train, texts, sampleNumbers(config, step, part), { rng: source, drops: settings }),
    losses: (batch, rng) => ({ velocity: loss(batch, rng, settings.changeWeight) }),
    validate: () => ({ velocity: heldLoss(NO_DROPS), withoutCaption: heldLoss(NO_CAPTIONS) }),
    samples: async () => draw(),
  };
}

/** Items drawn at random for `numbers`, or the items of those numbers where there is no `rng`. */
function editBatch(
  cache: ShardedCache<EditText>,
  texts: TextCache,
  numbers: readonly number[],
  { rng, drops }: { rng: Rng | null; drops: Drops },
): EditBatch {
  const chosen = numbers.map((number) => {
    const own = (rng ?? Rng.seed(0)).split(number);
    const index = rng ? own.split("item").integer(cache.count) : number;
    const isDropped = (what: keyof Drops): boolean => own.split(what).uniform() < drops[what];
    const { task, instruction, outputCaption } = cache.text(index);
    return {
      index,
      task: TASKS.indexOf(task),
      caption: isDropped("dropCaption") ? "" : outputCaption,
      instruction: isDropped("dropInstruction") ? "" : instruction,
      kept: isDropped("dropPicture") ? 0 : 1,
    };
  });
  const indices = chosen.map(({ index }) => index);
  const kept = Tensor.from(
    chosen.map((item) => item.kept),
    [chosen.length, 1, 1, 1],
  );
  return {
    x0: cache.gather("after", indices),
    input: cache.gather("before", indices).mul(kept),
    caption: texts.features(chosen.map((item) => item.caption)),
    instruction: texts.features(chosen.map((item) => item.instruction)),
    tasks: Tensor.from(
      chosen.map(({ task }) => task),
      [chosen.length],
      "int64",
    ),
  };
}
