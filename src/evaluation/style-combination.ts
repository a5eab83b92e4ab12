import { setImmediate } from "node:timers/promises";
import { styledRequestAt } from "../data/caches/styled-items.ts";
import { HELD_OUT_STYLES, restyled, STYLED_TASKS } from "../data/world/held-out-styles.ts";
import { renderFrame } from "../data/world/render.ts";
import { denoise } from "../editing/denoising.ts";
import { frameNoise } from "../editing/frame-noise.ts";
import { HeldTensors } from "../editing/held-tensors.ts";
import type { EditTexts, GuidedCondition } from "../editing/model.ts";
import type { Denoiser } from "../diffusion/denoiser.ts";
import { ddim } from "../diffusion/samplers.ts";
import { UserError } from "../engine/errors.ts";
import { Rng } from "../engine/random.ts";
import type { Float } from "../engine/tensor.ts";
import { clipScores, type ClipScores } from "./clip-scores.ts";
import type { EvaluatedModel } from "./evaluated-model.ts";
import { truthFrame } from "./ground-truth.ts";
import { clipSeed, type EvaluationOptions, type WorkDone } from "./options.ts";
import { decoded, encoded } from "./pictures.ts";
import { summarizeTasks, type TaskScores, type TaskSummary } from "./summary.ts";

/** Ways to edit a picture in a held-out style: both adapters aligned, or not, or the edit adapter alone. */
export const STYLED_METHODS = ["aligned", "stacked", "edit-adapter"] as const;
export type StyledMethod = (typeof STYLED_METHODS)[number];

/** A model that may have a style adapter; `EditModel` is one. */
export interface StyledModel extends EvaluatedModel {
  readonly styled: {
    readonly style: string;
    readonly stacked: Denoiser<GuidedCondition>;
    readonly aligned: Denoiser<GuidedCondition> | null;
  } | null;
  stackedCondition(
    texts: EditTexts,
    input: Float<"f c h w">,
    firstFrame: Float<"1 c h w"> | null,
  ): GuidedCondition;
}

/** What is measured, and how it is drawn. */
export interface StyledOptions extends Pick<EvaluationOptions, "split" | "count" | "seed"> {
  readonly steps: number;
}

/** One picture edited by one method, with its scores and RGB bytes. */
export interface StyledScored {
  readonly task: (typeof STYLED_TASKS)[number];
  readonly index: number;
  readonly method: StyledMethod;
  readonly instruction: string;
  readonly scores: ClipScores;
  readonly input: Uint8Array;
  readonly truth: Uint8Array;
  readonly output: Uint8Array;
}

/** Who watches. */
export interface StyledContext {
  readonly signal?: AbortSignal | undefined;
  readonly onWork?: ((work: WorkDone) => void) | undefined;
  readonly onPicture?: ((picture: StyledScored) => void) | undefined;
}

/** Summaries by method, of those that the model has the parts for. */
export type StyledSummaries = Readonly<Partial<Record<StyledMethod, TaskSummary>>>;

/**
 * How well pictures in a style that the edit adapter never saw are edited (§4.4), by exact truth: input and truth are
 * the world's, drawn in that style.
 */
export async function evaluateStyled(
  model: StyledModel,
  options: StyledOptions,
  context: StyledContext = {},
): Promise<StyledSummaries> {
  const scored: ({ readonly method: StyledMethod } & TaskScores)[] = [];
  for (let index = 0; index < options.count * STYLED_TASKS.length; index++)
    scored.push(...(await evaluatePicture(model, index, { options, context })));
  const names = STYLED_METHODS.filter((name) => scored.some(({ method }) => method === name));
  return Object.fromEntries(
    names.map((name) => [name, summarizeTasks(scored.filter(({ method }) => method === name))]),
  );
}

function editorsOf(model: StyledModel): ReadonlyMap<StyledMethod, Denoiser<GuidedCondition>> {
  const { styled } = model;
  if (!styled)
    throw new UserError(
      `the model in ${model.path} has no style adapter: train one with "./eve train style-adapter"`,
    );
  return new Map<StyledMethod, Denoiser<GuidedCondition>>([
    ...(styled.aligned ? [["aligned", styled.aligned] as const] : []),
    ["stacked", styled.stacked],
    ["edit-adapter", model.editTeacher()],
  ]);
}

async function evaluatePicture(
  model: StyledModel,
  index: number,
  { options, context }: { options: StyledOptions; context: StyledContext },
): Promise<StyledScored[]> {
  const { size } = model;
  const request = styledRequestAt(options.split, index);
  const { instruction, outputCaption: caption } = request;
  const task = STYLED_TASKS[index % STYLED_TASKS.length]!;
  const style = HELD_OUT_STYLES.find((name) => name === model.styled?.style) ?? HELD_OUT_STYLES[0];
  const seed = clipSeed(options, `styled ${task}`, index);
  const frame = Rng.seed(seed).split("frame").integer(32);
  const input = restyled(renderFrame(request.scene, frame, size), size, style);
  const truth = restyled(truthFrame(request, frame, size), size, style);
  using held = new HeldTensors();
  const latents = held.make(() => encoded(model, [input]));
  const shape = model.latentShape(1).slice(1);
  const condition = model.stackedCondition({ caption, instruction, task }, latents, null);
  const results: StyledScored[] = [];
  for (const [method, editor] of editorsOf(model)) {
    const noise = held.make(() => frameNoise(0, 1, { seed, mode: "independent", shape }));
    const { schedule } = model;
    const sampling = ddim(editor, noise, condition, { schedule, steps: options.steps });
    const onStep = (step: number): void =>
      context.onWork?.({
        phase: "styled pictures",
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
