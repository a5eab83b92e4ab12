import { noGrad } from "../../engine/autodiff.ts";
import { Rng } from "../../engine/random.ts";
import { keep, persist, tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float, type Pixels } from "../../engine/tensor.ts";
import { openFrameCache, type FrameCache } from "../../data/caches/frame-cache.ts";
import {
  SortingNetwork,
  balancedShares,
  follow,
  selfDistillationLoss,
  spreadOf,
  teacherShares,
  unit,
} from "../../models/vision/self-distillation.ts";
import { VisionTransformer } from "../../models/vision/vision-transformer.ts";
import { copyParameters, parameter, parametersOf, type Parameters } from "../../nn/module.ts";
import { sampleNumbers, type TrainConfig } from "../config.ts";
import type { Losses, Sample, Stage, StageContext } from "../stage.ts";
import { VisionSettings } from "./vision-settings.ts";
import { drawViews, type Views } from "./vision-views.ts";

/** The views of one forward pass, with its place in the run. */
export interface VisionBatch extends Views {
  readonly step: number;
  readonly part: number;
}

/** Student, teacher and centre: everything that self-distillation changes. */
interface School {
  readonly student: SortingNetwork;
  readonly teacher: SortingNetwork;
  /** Moving mean of the teacher's cosines. */
  readonly centre: Float<"k">;
  /** Mean of the teacher's cosines in the step so far. */
  readonly seen: Float<"k">;
}

const TEACHER = "teacher.vision.";

/** The transformer of a finished run, under its own names: the teacher's, which is the better of the two. */
export function visionWeights(weights: Parameters): Parameters {
  const found = [...weights].filter(([name]) => name.startsWith(TEACHER));
  return new Map(found.map(([name, weight]) => [name.slice(TEACHER.length), weight]));
}

/**
 * Trains a vision transformer on the world's pictures without labels: DINO (Caron et al., 2021), by default with the
 * balanced sorting of DINOv2 (Oquab et al., 2023).
 *
 * Teacher and centre stand among the trained tensors, so that checkpoints hold them and a resumed run repeats exactly
 * what an uninterrupted one does. They never get a gradient, and the optimizer leaves such tensors as they are. The
 * teacher moves when a step's first part begins, towards what the step before made of the student; the centre moves
 * when a step has updated the student, and sortings are balanced within a part. The run's own average is of no use here: choose `ema: 0`.
 *
 * Deviation: EVE's critics see with public DINOv2, which was trained on photographs; `tiny`'s see with a small
 * transformer that knows the generated world.
 */
export async function visionStage(
  vision: VisionTransformer,
  config: TrainConfig,
  { progress }: Pick<StageContext, "progress">,
): Promise<Stage<VisionBatch>> {
  const settings = VisionSettings.parse(config.stage);
  const { size, pictures, held, cache: folder } = settings;
  const report = ({ what, done, total }: { what: string; done: number; total: number }): void =>
    progress(what, done, total);
  const train = await openFrameCache({ folder, split: "train", count: pictures, size }, report);
  const kept = await openFrameCache({ folder, split: "validation", count: held, size }, report);
  const school = openSchool(vision, settings, Rng.seed(config.seed).split("vision"));
  return {
    name: "vision",
    dataset: `generated world, ${pictures} pictures of the train split, ${size}x${size}`,
    trainable: new Map([
      ...parametersOf({ student: school.student, teacher: school.teacher }),
      ["centre", school.centre],
    ]),
    frozen: new Map(),
    lossWeights: {},
    nextBatch: (step, part) => viewsAt(train, config, settings, { step, part }),
    losses: (batch) => learn(school, batch, config, settings),
    updated: () => moveCentre(school, settings.centreMomentum),
    validate: () => heldNumbers(school, kept, settings),
    samples: async () => [neighbourSheet(school.teacher.vision, kept)],
  };
}

function openSchool(vision: VisionTransformer, settings: VisionSettings, rng: Rng): School {
  const student = new SortingNetwork(rng.split("head"), vision, settings);
  const twin = new VisionTransformer(rng.split("teacher"), vision.config);
  const teacher = new SortingNetwork(rng.split("head"), twin, settings);
  copyParameters(teacher.parameters(), student.parameters(), "the student");
  const centre = parameter(Tensor.zeros([settings.prototypes]));
  return { student, teacher, centre, seen: persist(Tensor.zeros([settings.prototypes])) };
}

function viewsAt(
  cache: FrameCache,
  config: TrainConfig,
  settings: VisionSettings,
  { step, part }: { step: number; part: number },
): VisionBatch {
  const rngs = sampleNumbers(config, step, part).map((number) =>
    Rng.seed(config.seed).split("views").split(number),
  );
  using scope = tensorScope();
  const pixels = cache.pixels(rngs.map((rng) => rng.split("picture").integer(cache.count)));
  const { globals, locals } = drawViews(pixels, rngs, settings);
  for (const view of [...globals, ...locals]) scope.passOutward(view);
  return { globals, locals, step, part };
}

function learn(
  { student, teacher, centre, seen }: School,
  { globals, locals, step, part }: VisionBatch,
  { steps, accumulate }: TrainConfig,
  settings: VisionSettings,
): Losses {
  if (part === 0 && step > 0) {
    const momentum = momentumAt(step / steps, settings.teacherMomentum);
    follow(teacher.parameters(), student.parameters(), momentum);
  }
  const sorted = noGrad(() => sortViews(teacher, globals));
  const shares = noGrad(() => sorted.map((view) => sharesOf(view, centre, settings)));
  const cosines = [...sortViews(student, globals), ...sortViews(student, locals)];
  takeIn(seen, sorted, { part, accumulate });
  return { distillation: selfDistillationLoss(cosines, shares, settings.studentTemperature) };
}

/** Views of one size in one pass. */
function sortViews(network: SortingNetwork, views: readonly Pixels<"b 3 h w">[]): Float<"b k">[] {
  if (views.length === 0) return [];
  return network.forward(Tensor.cat(views, 0)).chunk(views.length, 0);
}

function sharesOf(
  cosines: Float<"b k">,
  centre: Float<"k">,
  { centring, teacherTemperature }: VisionSettings,
): Float<"b k"> {
  switch (centring) {
    case "mean":
      return teacherShares(cosines, centre, teacherTemperature);
    case "sinkhorn":
      return balancedShares(cosines, teacherTemperature);
  }
}

/** From `first` at the start to 1 at the end, by half a cosine. */
function momentumAt(progress: number, first: number): number {
  return 1 - ((1 - first) * (1 + Math.cos(Math.PI * Math.min(progress, 1)))) / 2;
}

/** Adds a part's share to the mean of the step, which begins anew with the first part. */
function takeIn(
  seen: Float<"k">,
  sorted: readonly Float<"b k">[],
  { part, accumulate }: { readonly part: number; readonly accumulate: number },
): void {
  noGrad(() => {
    const mean = Tensor.cat(sorted, 0).mean([0]).to("float32");
    if (part === 0) seen.copyFrom(mean.div(accumulate));
    else seen.blendInPlace(mean, 1, 1 / accumulate);
  });
}

function moveCentre({ centre, seen }: School, momentum: number): void {
  noGrad(() => centre.detach().blendInPlace(seen, momentum, 1 - momentum));
}

const HELD_AT_ONCE = 32;

/** What `of` makes of all held pictures, in batches. */
function overHeld(
  kept: FrameCache,
  of: (pixels: Pixels<"b 3 h w">, indices: readonly number[]) => Tensor,
): Tensor {
  const parts: Tensor[] = [];
  for (let first = 0; first < kept.count; first += HELD_AT_ONCE) {
    const length = Math.min(HELD_AT_ONCE, kept.count - first);
    const indices = Array.from({ length }, (_, i) => first + i);
    using _ = tensorScope();
    parts.push(keep(noGrad(() => of(kept.pixels(indices), indices))));
  }
  return Tensor.cat(parts, 0);
}

/**
 * How held pictures are spread over the prototypes, and `found`: the share of pictures of which one view has the other
 * as its nearest among all.
 */
function heldNumbers(
  { teacher, centre }: School,
  kept: FrameCache,
  settings: VisionSettings,
): Readonly<Record<string, number>> {
  using _ = tensorScope();
  const sorted = overHeld(kept, (pixels) => teacher.forward(pixels));
  const { entropyOfMean, meanEntropy } = spreadOf(
    teacherShares(sorted, centre.detach(), settings.teacherTemperature),
  );
  const featuresOf = (view: 0 | 1): Float<"n d"> =>
    overHeld(kept, (pixels, indices) => {
      const rngs = indices.map((index) => Rng.seed(0).split("held").split(index));
      return pictureFeatures(teacher.vision, drawViews(pixels, rngs, settings).globals[view]!);
    });
  const nearest = featuresOf(0).matmul(featuresOf(1).transpose(0, 1)).argmax(1);
  const isOwn = nearest.eq(Tensor.arange(kept.count)).to("float32");
  return { entropyOfMean, meanEntropy, found: isOwn.mean().item() };
}

/** Class tokens, brought to length one: their products are cosines. */
function pictureFeatures(vision: VisionTransformer, pixels: Pixels<"b 3 h w">): Float<"b d"> {
  return unit(vision.forward(pixels).select(1, 0));
}

const QUERIES = 8;
const NEIGHBOURS = 5;

/** Rows of a held picture and those that the teacher finds most like it. */
function neighbourSheet(vision: VisionTransformer, kept: FrameCache): Sample {
  using scope = tensorScope();
  const features = overHeld(kept, (pixels) => pictureFeatures(vision, pixels));
  const likeness = features.matmul(features.transpose(0, 1)).toFloat32Array();
  const rows = Array.from({ length: Math.min(QUERIES, kept.count) }, (_, query) => {
    const cosine = (other: number): number => likeness[query * kept.count + other]!;
    const others = Array.from({ length: kept.count }, (__, index) => index);
    const nearest = others
      .filter((other) => other !== query)
      .toSorted((a, b) => cosine(b) - cosine(a));
    const shown = [query, ...nearest.slice(0, NEIGHBOURS)];
    const pixels = kept.pixels(shown);
    return shown.map((__, column) => pixels.select(0, column));
  });
  for (const picture of rows.flat()) scope.passOutward(picture);
  return { type: "sheet", name: "neighbours", rows };
}
