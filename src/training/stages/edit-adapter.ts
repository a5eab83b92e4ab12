import type { EditText } from "../../data/caches/latents.ts";
import type { ShardedCache } from "../../data/caches/shards.ts";
import type { TextCache } from "../../data/caches/text-cache.ts";
import { TASKS } from "../../data/world/tasks.ts";
import { networkDenoiser } from "../../diffusion/denoiser.ts";
import { FULL_TEMPERATURE } from "../../diffusion/temperature.ts";
import { timesteps } from "../../diffusion/timesteps.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { EditInputs } from "../../eve/adapters/branches.ts";
import type { EditAdapter } from "../../eve/adapters/edit-adapter.ts";
import type { SamplingDefaults } from "../../eve/model/model-description.ts";
import type { UNet } from "../../models/unet/unet.ts";
import { parametersOf } from "../../nn/module.ts";
import { sampleNumbers, type TrainConfig } from "../config.ts";
import type { Losses, Stage } from "../stage.ts";
import { HELD_ITEMS, type LatentMaterial } from "./backbone.ts";
import { lossInUse } from "./in-use.ts";
import { EditAdapterSettings } from "./settings.ts";
import { drawByTask, type ItemDraw } from "./task-draw.ts";
import { noiseBatch, placeWeights, velocityLoss, type PlaceWeights } from "./velocity.ts";

/** Edited pictures with everything that determines them. */
export interface EditBatch extends EditInputs {
  readonly x0: Float<"b c h w">;
  /** Token features of the output caption, which the backbone reads. */
  readonly caption: Float<"b n d">;
}

/** A batch to learn from. */
export interface TaughtBatch extends EditBatch {
  /** How many of its first items are learned as in use: the first of a step, however it is split. */
  readonly used: number;
}

/** How often each condition is left out. */
type Drops = Pick<EditAdapterSettings, "dropCaption" | "dropInstruction" | "dropPicture">;

const NO_DROPS: Drops = { dropCaption: 0, dropInstruction: 0, dropPicture: 0 };
const NO_CAPTIONS: Drops = { ...NO_DROPS, dropCaption: 1 };

/** A loss of a batch; by default all places count alike. */
type EditLoss = (batch: EditBatch, rng: Rng, places?: PlaceWeights) => Float<"">;

/** What the edit adapter is trained with. */
export interface EditMaterial extends LatentMaterial<EditText> {
  /** How the model is sampled; by default in two steps, evenly, from all of the noise. */
  readonly sampling?: SamplingDefaults | undefined;
}

/** Trains the edit adapter on single frames before and after an edit; the backbone is frozen (§3.1). */
export function editAdapterStage(
  unet: UNet,
  adapter: EditAdapter,
  material: EditMaterial,
  config: TrainConfig,
): Stage<TaughtBatch> {
  const settings = EditAdapterSettings.parse(config.stage);
  const { train, held, texts, schedule, frozen, draw } = material;
  const evenly = { times: timesteps(schedule, 2, "trailing"), temperature: FULL_TEMPERATURE };
  const { sampling = evenly } = material;
  const { loss, usedLoss } = editLosses(unet, adapter, { schedule, sampling, settings });
  const allUsed = Math.round(settings.inUse * config.batch);
  /** A part's share of a loss that is the mean over so many of the step's items. */
  const share = (count: number, all: number): number => (count * config.accumulate) / all;
  const losses = ({ used, ...batch }: TaughtBatch, rng: Rng): Losses => {
    const rest = batch.x0.shape[0]! - used;
    const noised = (): Float<""> => loss(itemsOf(batch, used, rest), rng, settings);
    const inUse = (): Float<""> => usedLoss(itemsOf(batch, 0, used), rng, settings);
    return {
      ...(rest > 0 && { velocity: noised().mul(share(rest, config.batch - allUsed)) }),
      ...(used > 0 && { inUse: inUse().mul(share(used, allUsed)) }),
    };
  };
  const heldLoss = (of: EditLoss, drops: Drops): number => {
    const numbers = held.firstIndices(HELD_ITEMS);
    const rng = Rng.seed(0).split("held");
    using _ = tensorScope();
    return noGrad(() => of(editBatch(held, texts, numbers, { random: null, drops }), rng)).item();
  };
  const source = Rng.seed(config.seed).split("edit");
  const all = Array.from({ length: train.count }, (_, index) => train.text(index));
  const item = drawByTask(all, settings);
  return {
    name: "edit-adapter",
    dataset: `generated world, ${train.count} single-frame triplets of the train split, seven tasks`,
    trainable: adapter.parameters(),
    frozen: new Map([...frozen, ...parametersOf({ backbone: unet })]),
    lossWeights: {},
    nextBatch: (step, part) => {
      const numbers = sampleNumbers(config, step, part);
      const before = part * numbers.length;
      const used = Math.min(Math.max(allUsed - before, 0), numbers.length);
      const random = { rng: source, item };
      return { ...editBatch(train, texts, numbers, { random, drops: settings }), used };
    },
    losses,
    validate: () => ({
      velocity: heldLoss(loss, NO_DROPS),
      withoutCaption: heldLoss(loss, NO_CAPTIONS),
      ...(settings.inUse > 0 && { inUse: heldLoss(usedLoss, NO_DROPS) }),
    }),
    samples: async () => draw(),
  };
}

/** The losses of the adapter beside `unet`: of noised edits, and of edits as in use. */
function editLosses(
  unet: UNet,
  adapter: EditAdapter,
  {
    schedule,
    sampling,
    settings,
  }: Pick<EditMaterial, "schedule"> & {
    readonly sampling: Pick<SamplingDefaults, "times" | "temperature">;
    readonly settings: EditAdapterSettings;
  },
): Readonly<Record<"loss" | "usedLoss", EditLoss>> {
  const network = (
    xt: Float<"b c h w">,
    labels: Float<"b">,
    batch: EditBatch,
  ): Float<"b c h w"> => {
    const residuals = adapter.forward(xt, labels, batch);
    return unet.forward(xt, labels, batch.caption, { residuals });
  };
  const denoiser = networkDenoiser({ schedule, kind: "v", network });
  const weightsOf = ({ x0, input }: EditBatch, places?: PlaceWeights) =>
    places && placeWeights(x0, input, places);
  const loss: EditLoss = (batch, rng, places) => {
    const noised = noiseBatch(batch.x0, schedule, rng, { bias: settings.noiseBias });
    const output = network(noised.xt, noised.labels, batch);
    return velocityLoss(output, noised, weightsOf(batch, places));
  };
  const usedLoss: EditLoss = (batch, rng, places) => {
    const weights = weightsOf(batch, places);
    const { inUseError: error } = settings;
    const learned = places && settings.inUseLearned;
    const options = { schedule, sampling, rng: rng.split("in use"), error, learned, weights };
    return lossInUse(denoiser, batch.x0, batch, options);
  };
  return { loss, usedLoss };
}

/** Some of a batch's items. */
function itemsOf(batch: EditBatch, from: number, count: number): EditBatch {
  const { x0, caption, input, instruction, tasks } = batch;
  return {
    x0: x0.narrow(0, from, count),
    caption: caption.narrow(0, from, count),
    input: input.narrow(0, from, count),
    instruction: instruction.narrow(0, from, count),
    tasks: tasks.narrow(0, from, count),
  };
}

/** Items drawn at random for `numbers`, or the items of those numbers where nothing is random. */
function editBatch(
  cache: ShardedCache<EditText>,
  texts: TextCache,
  numbers: readonly number[],
  { random, drops }: { random: { rng: Rng; item: ItemDraw } | null; drops: Drops },
): EditBatch {
  const chosen = numbers.map((number) => {
    const own = (random?.rng ?? Rng.seed(0)).split(number);
    const index = random ? random.item(own.split("item")) : number;
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
