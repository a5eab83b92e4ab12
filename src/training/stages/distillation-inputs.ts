import { createHash } from "node:crypto";
import type { CacheProgress } from "../../data/caches/cache-progress.ts";
import type { ShardedCache } from "../../data/caches/shards.ts";
import type { TextCache } from "../../data/caches/text-cache.ts";
import {
  openDrawings,
  type InputSource,
  type UneditedClips,
} from "../../data/caches/unedited-clips.ts";
import { TASKS } from "../../data/world/tasks.ts";
import { rearrange } from "../../engine/axes.ts";
import { Rng } from "../../engine/random.ts";
import { keep, tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { EditPoint } from "../../eve/distillation/distillation.ts";
import {
  drawEdits,
  drawTeacherSamples,
  guidedTeachers,
} from "../../eve/distillation/teacher-samples.ts";
import {
  stackedCondition,
  type EditCondition,
  type Networks,
  type StackedCondition,
} from "../../eve/stack/teachers.ts";
import { hasCritics, type DistillationSettings } from "./distillation-settings.ts";

/** Everything distillation learns from: unedited clips with words, and what the frozen teachers drew of them. */
export interface DistillationInputs {
  readonly clips: UneditedClips;
  /** `firstFrame` [c h w]: the clips' first frames, edited by the edit teacher; null where no video adapter asks. */
  readonly firstFrames: ShardedCache<null> | null;
  /** `edit` and `video` [f c h w]: the critics' real samples; null where no critic judges. */
  readonly samples: ShardedCache<null> | null;
  /** What an edit adapter that looks at pixels is shown of latents; absent where it reads latents. */
  readonly hintOf?: Networks["hintOf"];
}

/** Clips whose first frames one shard holds. */
const FIRST_FRAMES_A_SHARD = 64;

/** What inputs are opened with. */
export interface DistillationInputsOptions {
  readonly networks: Networks;
  readonly texts: TextCache;
  readonly settings: Pick<
    DistillationSettings,
    "samples" | "holdFirstFrame" | "terms" | "combineInputs"
  >;
  /** Identifies the teachers' weights. */
  readonly teachersHash: string;
}

/** The same for inputs that no critic judges: held ones. */
export function withoutCritics<Options extends DistillationInputsOptions>(
  options: Options,
): Options {
  return { ...options, settings: { ...options.settings, terms: ["sdsEdit", "sdsVideo"] } };
}

/** Opens the inputs of distillation; the teachers draw what is missing, some clips at a time. */
export async function openDistillationInputs(
  source: InputSource,
  options: DistillationInputsOptions,
  report?: (progress: CacheProgress) => void,
): Promise<DistillationInputs> {
  const { networks, texts, settings, teachersHash } = options;
  const { samples: config, terms } = settings;
  const { steps, times, temperature } = config;
  const { schedule } = networks;
  const teachers = guidedTeachers(networks, config);
  const rng = Rng.seed(0).split("teachers");
  const clips = await source.open(report);
  const own = { clips, ...(networks.hintOf && { hintOf: networks.hintOf }) };
  const firstFrames = await openDrawings(
    source,
    {
      what: "first frames",
      by: digest([teachersHash, steps, times, temperature, config.atOnce, config.guideEdit]),
      shardSize: FIRST_FRAMES_A_SHARD,
      draw: inBatches(config.atOnce, (indices) => {
        const condition = firstFrameCondition(own, texts, indices);
        const drawing = { schedule, steps, times, temperature, rng: rng.split(indices[0]!) };
        return { firstFrame: drawEdits(teachers.edit, condition, drawing) };
      }),
    },
    report,
  );
  const inputs = { ...own, firstFrames, samples: null };
  if (!hasCritics({ terms })) return inputs;
  return { ...inputs, samples: await openTeacherSamples(source, inputs, options, report) };
}

/** What both teachers make of `inputs`: the critics' real samples. They draw what is missing, some at a time. */
export async function openTeacherSamples(
  source: InputSource,
  inputs: DistillationInputs,
  { networks, texts, settings, teachersHash }: DistillationInputsOptions,
  report?: (progress: CacheProgress) => void,
): Promise<ShardedCache<null>> {
  const { samples: config, holdFirstFrame, combineInputs } = settings;
  const { schedule } = networks;
  const teachers = guidedTeachers(networks, config);
  const rng = Rng.seed(0).split("teachers").split("samples");
  return await openDrawings(
    source,
    {
      what: "teacher samples",
      by: digest([teachersHash, config, holdFirstFrame, combineInputs]),
      // Between shards the training is stopped
      shardSize: config.atOnce,
      draw: inBatches(config.atOnce, (indices) => {
        const { condition } = pointOf(inputs, texts, indices);
        const drawn = drawTeacherSamples(teachers, condition, {
          schedule,
          steps: config.steps,
          times: config.times,
          temperature: config.temperature,
          rng: rng.split(indices[0]!),
          holdFirstFrame,
        });
        return { edit: unfolded(drawn.edit, indices), video: unfolded(drawn.video, indices) };
      }),
    },
    report,
  );
}

/** The inputs of the clips that `indices` names; `captions` in the place of their own, empty ones for none. */
export function pointOf(
  inputs: DistillationInputs,
  texts: TextCache,
  indices: readonly number[],
  captions = indices.map((index) => inputs.clips.text(index).outputCaption),
): EditPoint {
  const { clips, firstFrames, samples } = inputs;
  const condition = conditionOf(inputs, texts, indices, {
    input: folded(clips.gather("clip", indices)),
    captions,
    firstFrame: firstFrames && firstFrames.gather("firstFrame", indices),
  });
  const real = samples && {
    edit: folded(samples.gather("edit", indices)),
    video: folded(samples.gather("video", indices)),
  };
  return { condition, real };
}

/** Clips, and what an adapter that looks at pixels is shown of them. */
type ShownClips = Pick<DistillationInputs, "clips" | "hintOf">;

function firstFrameCondition(
  shown: ShownClips,
  texts: TextCache,
  indices: readonly number[],
): EditCondition {
  const { clips } = shown;
  return conditionOf(shown, texts, indices, {
    input: clips.gather("clip", indices).select(1, 0),
    captions: indices.map((index) => clips.text(index).outputCaption),
    firstFrame: null,
  });
}

function conditionOf(
  { clips, hintOf }: ShownClips,
  texts: TextCache,
  indices: readonly number[],
  {
    input,
    captions,
    firstFrame,
  }: Pick<StackedCondition, "input" | "firstFrame"> & { readonly captions: readonly string[] },
): StackedCondition {
  const words = indices.map((index) => clips.text(index));
  const parts = {
    caption: texts.features(captions),
    instruction: texts.features(words.map(({ instruction }) => instruction)),
    tasks: Tensor.from(
      words.map(({ task }) => TASKS.indexOf(task)),
      [indices.length],
      "int64",
    ),
    input,
    firstFrame,
    ...(hintOf && { hint: hintOf(input) }),
  };
  return stackedCondition(parts, texts.features([""]));
}

/** Draws `count` clips at a time and joins what was drawn, freeing everything else. */
function inBatches(
  count: number,
  draw: (indices: readonly number[]) => Readonly<Record<string, Tensor>>,
): (indices: readonly number[]) => ReadonlyMap<string, Tensor> {
  return (indices) => {
    const pieces = new Map<string, Tensor[]>();
    for (let first = 0; first < indices.length; first += count) {
      using _ = tensorScope();
      const drawn = draw(indices.slice(first, first + count));
      for (const [name, tensor] of Object.entries(drawn))
        pieces.set(name, [...(pieces.get(name) ?? []), keep(tensor)]);
    }
    return new Map([...pieces].map(([name, some]) => [name, Tensor.cat(some, 0)]));
  };
}

function folded(clips: Float<"b f c h w">): Float<"(b f) c h w"> {
  return rearrange(clips, "b f c h w -> (b f) c h w");
}

function unfolded(
  frames: Float<"(b f) c h w">,
  { length: b }: readonly number[],
): Float<"b f c h w"> {
  return rearrange(frames, "(b f) c h w -> b f c h w", { b });
}

/** Twelve digits that stand for all of `parts`. */
export function digest(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 12);
}
