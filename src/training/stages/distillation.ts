import type { TextCache } from "../../data/caches/text-cache.ts";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { EditStrengths } from "../../eve/adapters/edit-strength.ts";
import { adversary, type Jury } from "../../eve/critics/adversarial-objective.ts";
import { distillationWeights } from "../../eve/distillation/distillation-config.ts";
import {
  distil,
  phaseAt,
  phases,
  studentLosses,
  type Cast,
  type EditPoint,
  type Phase,
} from "../../eve/distillation/distillation.ts";
import { guidedTeachers } from "../../eve/distillation/teacher-samples.ts";
import { strengthKind, type StrengthKind } from "../../eve/stack/alignment-weights.ts";
import {
  alignedStudent,
  createAlignment,
  learnedStrengths,
  unpretrainedStudent,
  type Student,
} from "../../eve/stack/student.ts";
import type { Networks, StackedCondition, StackOptions } from "../../eve/stack/teachers.ts";
import { parametersOf, type Parameters } from "../../nn/module.ts";
import { sampleNumbers, type TrainConfig } from "../config.ts";
import type { Losses, Sample, Stage } from "../stage.ts";
import { pointOf, type DistillationInputs } from "./distillation-inputs.ts";
import { DistillationSettings, judgedFrom } from "./distillation-settings.ts";

/** What the distillation stage works with. None of it holds or can make an edited clip. */
export interface DistillationMaterial {
  /** The teachers' networks, frozen. */
  readonly networks: Networks;
  /** What is trained on, in words: for the receipt. */
  readonly dataset: string;
  readonly train: DistillationInputs;
  readonly held: DistillationInputs;
  readonly texts: TextCache;
  /** The critics; null where no `gen` term is among the settings' terms. */
  readonly jury: Jury | null;
  /** Weights beside the networks' that must not change: autoencoder, text encoder, the critics' eyes. */
  readonly frozen: Parameters;
  /** Pictures of what the student draws. */
  readonly draw: (student: Denoiser<StackedCondition>) => readonly Sample[];
}

/** The inputs of one forward pass and the phase it belongs to. */
export interface DistillationBatch {
  readonly point: EditPoint;
  readonly phase: Phase;
  /** Whether the gradient of each term is measured. */
  readonly isWatched: boolean;
}

/** The distillation stage: what it trains is the student, beside it the critics where there are any. */
export interface DistillationStage extends Stage<DistillationBatch> {
  readonly student: Student;
}

/**
 * Aligns both adapters by Factorized Diffusion Distillation (§3): the student edits unedited clips, and teachers and
 * critics judge what it drew. Its phases follow the step (§4).
 */
export function distillationStage(
  material: DistillationMaterial,
  config: TrainConfig,
): DistillationStage {
  const settings = DistillationSettings.parse(config.stage);
  const { networks, dataset, train, held, texts, jury, draw } = material;
  const { schedule } = networks;
  const student = newStudent(networks, settings, config.seed);
  const cast: Cast = {
    student: student.denoiser,
    teachers: guidedTeachers(networks, settings.scoreDistillation),
  };
  const timed = { ...settings, adversarialFrom: judgedFrom(settings, config.steps) };
  const all = phases(schedule, timed, jury && adversary(jury, settings.terms));
  const gradients: Record<string, number> = {};
  const onGradient = (term: string, norm: number): void => void (gradients[term] = norm);
  const losses = ({ point, phase, isWatched }: DistillationBatch, rng: Rng): Losses => {
    const watched = isWatched ? { ...cast, onGradient } : cast;
    return studentLosses(watched, phase.objectives, point, { schedule, config: settings, rng });
  };
  const { watchEvery } = settings;
  const score = {
    name: "validation",
    from: 0,
    objectives: [distil(schedule, settings.scoreDistillation, ["sdsEdit", "sdsVideo"])],
  };
  const source = Rng.seed(config.seed).split("distillation");
  return {
    name: "distillation",
    dataset,
    student,
    trainable: student.trainable,
    rates: ratesOf(student, settings),
    frozen: frozenOf(material),
    lossWeights: distillationWeights(settings),
    phases: all.map(({ from }) => from),
    adversaries: jury && {
      trainable: parametersOf({ edit: jury.edit, video: jury.video }),
      ...settings.critics,
    },
    nextBatch: (step, part) => ({
      point: drawPoint(train, texts, sampleNumbers(config, step, part), source, settings),
      phase: phaseAt(all, step),
      isWatched: watchEvery > 0 && step % watchEvery === 0,
    }),
    losses: (batch, noise) => ({ ...losses(batch, noise), ...meanStrengths(student) }),
    takeGradients: () => {
      const found = { ...gradients };
      for (const term of Object.keys(gradients)) delete gradients[term];
      return found;
    },
    validate: () =>
      heldLosses(held, texts, (point, rng) =>
        losses({ point, phase: score, isWatched: false }, rng),
      ),
    samples: async () => draw(student.denoiser),
  };
}

function newStudent(
  networks: Networks,
  { student, alignment, videoStrength, strengthRate, recompute }: DistillationSettings,
  seed: number,
): Student {
  const rng = Rng.seed(seed).split("student");
  const layers = { recompute: recompute === "layers" };
  if (student === "unpretrained") return unpretrainedStudent(rng, networks, layers);
  const lora = createAlignment(rng, networks.unet, alignment);
  const strengths =
    strengthRate > 0 ? strengthsToLearn(networks, videoStrength) : { videoStrength };
  return alignedStudent(networks, lora, { ...layers, ...strengths });
}

/**
 * How strongly the video adapter is heard, from `videoStrength` on; in another combination (§4.4), how strongly the edit
 * adapter is. A look is left as it was trained: no edit teacher has seen it, and each would have it weaker.
 */
function strengthsToLearn(
  networks: Networks,
  videoStrength: number,
): Pick<StackOptions, StrengthKind> {
  const { editAdapter, videoAdapter } = networks;
  return videoAdapter === null
    ? { editStrength: EditStrengths.alike(editAdapter, 1) }
    : { videoStrength: learnedStrengths(networks, videoStrength) };
}

/** How strongly the student hears an adapter, the mean over its places: only watched, where it is learned. */
function meanStrengths({ trainable }: Student): Losses {
  const learned = Map.groupBy(trainable, ([name]) => strengthKind(name));
  learned.delete(undefined);
  return Object.fromEntries(
    [...learned].map(([kind, strengths]) => {
      const values = strengths.map(([, value]) => value.detach());
      return [kind, Tensor.stack(values, 0).mean()];
    }),
  );
}

function ratesOf(
  { trainable }: Student,
  { strengthRate }: Pick<DistillationSettings, "strengthRate">,
): Readonly<Record<string, number>> {
  const names = [...trainable.keys()].filter((name) => strengthKind(name) !== undefined);
  return Object.fromEntries(names.map((name) => [name, strengthRate]));
}

function frozenOf({ networks, frozen }: DistillationMaterial): Parameters {
  const { unet, editAdapter, videoAdapter, look } = networks;
  const modules = {
    backbone: unet,
    editAdapter,
    ...(videoAdapter && { videoAdapter }),
    ...(look && { look }),
  };
  return new Map([...frozen, ...parametersOf(modules)]);
}

/** Inputs drawn at random for `numbers`. */
function drawPoint(
  inputs: DistillationInputs,
  texts: TextCache,
  numbers: readonly number[],
  rng: Rng,
  { dropCaption, withoutCaption }: DistillationSettings,
): EditPoint {
  const chosen = numbers.map((number) => {
    const own = rng.split(number);
    const index = own.split("item").integer(inputs.clips.count);
    const isDropped = own.split("caption").uniform() < dropCaption;
    const { outputCaption, instruction } = inputs.clips.text(index);
    const instead = withoutCaption === "instruction" ? instruction : "";
    return { index, caption: isDropped ? instead : outputCaption };
  });
  const indices = chosen.map(({ index }) => index);
  const captions = chosen.map(({ caption }) => caption);
  return pointOf(inputs, texts, indices, captions);
}

/** The mean of each term over held inputs, one at a time, each with noise and times of its own. */
function heldLosses(
  held: DistillationInputs,
  texts: TextCache,
  losses: (point: EditPoint, rng: Rng) => Losses,
): Record<string, number> {
  const indices = held.clips.firstIndices(held.clips.count);
  const sums: Record<string, number> = {};
  for (const index of indices) {
    using _ = tensorScope();
    const rng = Rng.seed(0).split("held").split(index);
    const terms = noGrad(() => losses(pointOf(held, texts, [index]), rng));
    for (const [name, term] of Object.entries(terms))
      sums[name] = (sums[name] ?? 0) + term.item() / indices.length;
  }
  return sums;
}
