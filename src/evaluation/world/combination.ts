import { setImmediate } from "node:timers/promises";
import { FRAME_SPAN } from "../../data/caches/frame-number.ts";
import { finished, lookRequestAt, tasksOf } from "../../data/caches/look-requests.ts";
import { parseLook, type Look, type LookType } from "../../data/world/looks.ts";
import { renderFrame } from "../../data/world/render.ts";
import type { Task } from "../../data/world/tasks.ts";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import type { GuidedCondition } from "../../editing/settings/model.ts";
import { temperatureFor } from "../../editing/settings/settings.ts";
import { guidanceFor } from "../../editing/settings/strength.ts";
import { denoise } from "../../editing/windows/denoising.ts";
import { editSampling, guidedEdit, inAllForms } from "../../editing/windows/edit-sampling.ts";
import { frameNoise } from "../../editing/windows/frame-noise.ts";
import { UserError } from "../../engine/errors.ts";
import { HeldTensors } from "../../engine/held-tensors.ts";
import { Rng } from "../../engine/random.ts";
import type { EvaluatedModel } from "../methods/evaluated-model.ts";
import { clipSeed, type EvaluationOptions, type WorkDone } from "../methods/options.ts";
import { decoded, encoded } from "../methods/pictures.ts";
import { clipScores, type ClipScores } from "../scores/clip-scores.ts";
import { summarizeTasks, type TaskScores, type TaskSummary } from "../statistics/summary.ts";
import { truthFrame } from "./ground-truth.ts";

/** Ways to edit a picture with a look: both adapters aligned, or not, or the edit adapter alone. */
export const COMBINATION_METHODS = ["aligned", "stacked", "edit-adapter"] as const;
/** The name of a way to edit a picture with a look. */
export type CombinationMethod = (typeof COMBINATION_METHODS)[number];

/** The edit adapter with another one than the video adapter. */
interface LookEditors {
  readonly look: string;
  readonly stacked: Denoiser<GuidedCondition>;
  readonly aligned: Denoiser<GuidedCondition> | null;
}

/** A model that may have a style or a subject adapter; `EditModel` is one. */
export interface CombinedModel extends EvaluatedModel {
  readonly looks: Readonly<Record<LookType, LookEditors | null>>;
}

/** What is measured, and how it is drawn. */
export interface CombinationOptions extends Pick<EvaluationOptions, "split" | "count" | "seed"> {
  /** Which of the model's looks. */
  readonly type: LookType;
  readonly steps: number;
  /** Which ways to edit; default: all that the model has the parts for. */
  readonly methods?: readonly CombinationMethod[] | undefined;
}

/** One picture edited by one method, with its scores and RGB bytes. */
export interface CombinationScored {
  readonly task: Task;
  readonly index: number;
  readonly method: CombinationMethod;
  readonly instruction: string;
  readonly scores: ClipScores;
  readonly input: Uint8Array;
  readonly truth: Uint8Array;
  readonly output: Uint8Array;
}

/** Who watches. */
export interface CombinationContext {
  readonly signal?: AbortSignal | undefined;
  readonly onWork?: ((work: WorkDone) => void) | undefined;
  readonly onPicture?: ((picture: CombinationScored) => void) | undefined;
}

/** Summaries by method, of those that the model has the parts for. */
export type CombinationSummaries = Readonly<Partial<Record<CombinationMethod, TaskSummary>>>;

/**
 * How well pictures are edited in a style, or a subject brought into them, that the edit adapter never saw (§4.4), by
 * exact truth: input and truth are the world's, with that look.
 */
export async function evaluateCombination(
  model: CombinedModel,
  options: CombinationOptions,
  context: CombinationContext = {},
): Promise<CombinationSummaries> {
  const combination = combinationOf(model, options);
  const count = options.count * tasksOf(combination.look).length;
  const scored: ({ readonly method: CombinationMethod } & TaskScores)[] = [];
  for (let index = 0; index < count; index++)
    scored.push(...(await evaluatePicture(model, combination, index, { options, context })));
  const names = COMBINATION_METHODS.filter((name) => scored.some(({ method }) => method === name));
  return Object.fromEntries(
    names.map((name) => [name, summarizeTasks(scored.filter(({ method }) => method === name))]),
  );
}

/** A look with the editors that a model has for it. */
interface Combination {
  readonly look: Look;
  readonly editors: ReadonlyMap<CombinationMethod, Denoiser<GuidedCondition>>;
}

function combinationOf(
  model: CombinedModel,
  { type, methods = COMBINATION_METHODS }: Pick<CombinationOptions, "type" | "methods">,
): Combination {
  const found = model.looks[type];
  const look = found && parseLook(`${type}:${found.look}`);
  if (!found || !look)
    throw new UserError(
      `the model in ${model.path} has no ${type} adapter: train one with "./eve train ${type}-adapter"`,
    );
  const all = {
    aligned: found.aligned,
    stacked: found.stacked,
    "edit-adapter": model.editTeacher(),
  };
  const editors = new Map<CombinationMethod, Denoiser<GuidedCondition>>();
  for (const method of COMBINATION_METHODS) {
    const editor = all[method];
    if (editor && methods.includes(method)) editors.set(method, editor);
  }
  if (editors.size > 0) return { look, editors };
  throw new UserError(
    `the model in ${model.path} has no alignment of its ${type} adapter: make one with "./eve distill --combine ${type}:${found.look}"`,
  );
}

async function evaluatePicture(
  model: CombinedModel,
  { look, editors }: Combination,
  index: number,
  { options, context }: { options: CombinationOptions; context: CombinationContext },
): Promise<CombinationScored[]> {
  const { size } = model;
  const request = lookRequestAt(look, options.split, index);
  const { task, instruction, outputCaption: caption } = request;
  const seed = clipSeed(options, `${look.name} ${task}`, index);
  const frame = Rng.seed(seed).split("frame").integer(FRAME_SPAN);
  const input = finished(look, renderFrame(request.scene, frame, size), size);
  const truth = finished(look, truthFrame(request, frame, size), size);
  using held = new HeldTensors();
  const latents = held.make(() => encoded(model, [input]));
  const shape = model.latentShape(1).slice(1);
  const texts = { caption, instruction, task };
  const forms = held.make(() => inAllForms(model.editCondition(texts, latents)));
  const settings = {
    steps: options.steps,
    sampler: "ddim",
    temperature: temperatureFor({}, model),
    guidance: guidanceFor("balanced", {}, model.defaults?.guidance),
    task,
  } as const;
  const results: CombinationScored[] = [];
  for (const [method, editor] of editors) {
    const { temperature } = settings;
    const drawn = { seed, mode: "independent", temperature, shape } as const;
    const noise = held.make(() => frameNoise(0, 1, drawn));
    const denoiser = guidedEdit(editor, forms, settings, model);
    const sampling = editSampling({ denoiser, noise, condition: forms.full }, settings, model);
    const onStep = (step: number): void =>
      context.onWork?.({
        phase: `pictures with ${look.name}`,
        detail: `${method} · ${task}`,
        step,
        frames: 1,
      });
    const edited = await denoise(sampling, held, { signal: context.signal, onStep });
    const [output] = decoded(model, edited);
    const frames = { input: [input], truth: [truth], output: [output!] };
    const scores = clipScores(frames, { size, window: 1, reconstruction: [] });
    const picture = { task, index, method, instruction, scores, input, truth, output: output! };
    context.onPicture?.(picture);
    results.push(picture);
    await setImmediate();
  }
  return results;
}
