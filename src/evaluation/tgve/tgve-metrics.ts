import {
  editedFrames,
  editFolder,
  inputFrames,
  type TgveDataset,
} from "../../data/tgve/dataset.ts";
import { TGVE_EDITS, type TgveEdit, type TgveVideo } from "../../data/tgve/table.ts";
import { HeldTensors } from "../../engine/held-tensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import type { LoadedClip } from "../../models/clip/load-clip.ts";
import type { Interval } from "../statistics/bootstrap.ts";
import { clipTextFeatures, viclipTextFeatures } from "./clip-features.ts";
import { clipFrameConsistency } from "./clip-frame-consistency.ts";
import { clipTextAlignment } from "./clip-text-alignment.ts";
import { pickScore } from "./pick-score.ts";
import { intervalsOf, meansOf, type TgveMetric, type TgveScores } from "./tgve-means.ts";
import { seeVideo, type SeenVideo, type TgveEncoders } from "./tgve-video.ts";
import { viclipDir } from "./viclip-dir.ts";
import { viclipOut } from "./viclip-out.ts";

/** Which edit an event is about, and how many of all are done with it. */
interface EditPlace {
  readonly set: TgveVideo["set"];
  readonly video: string;
  readonly edit: TgveEdit;
  readonly done: number;
  readonly total: number;
}

/** One edit was scored. */
export interface EditScored extends EditPlace {
  readonly type: "edit-scored";
  readonly caption: string;
  readonly frames: number;
  readonly scores: TgveScores;
}

/** The submission lacks an edit. */
export interface EditMissing extends EditPlace {
  readonly type: "edit-missing";
  /** The folder that is not there. */
  readonly path: string;
}

/** All edits are done: the last event. */
export interface BenchmarkScored {
  readonly type: "benchmark-scored";
  readonly scored: number;
  /** Edits that the submission lacks; the means are over the others. */
  readonly missing: number;
  readonly means: TgveScores;
  readonly byEdit: Readonly<Record<TgveEdit, TgveScores>>;
  /** 95 % bootstrap intervals of the means, over videos; null of few. */
  readonly intervals: Readonly<Record<TgveMetric, Interval | null>>;
}

/** What scoring a submission tells. */
export type TgveEvent = EditScored | EditMissing | BenchmarkScored;

/** What is scored, with what, and who watches. */
export interface TgveOptions {
  readonly dataset: TgveDataset;
  /** The folder of a submission in TGVE's layout: `<set>/<video>/<edit>/*.jpg`. */
  readonly submission: string;
  readonly encoders: TgveEncoders;
  /** Takes effect within a few frames. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Scores a submission to TGVE edit by edit, and ends with the means, each edit with the same weight.
 *
 * Frames are JPEG files, read as TGVE's script does: brought to 480 × 480 before any network's own preparation. Networks
 * compute in float32. Throws a DataError where an edit has too few frames for a metric, a UserError where the benchmark's
 * own frames are missing.
 */
export async function* scoreTgve(options: TgveOptions): AsyncGenerator<TgveEvent> {
  const { dataset, submission } = options;
  const total = dataset.videos.length * TGVE_EDITS.length;
  const scored: EditScored[] = [];
  let done = 0;
  for (const video of dataset.videos) {
    using held = new HeldTensors();
    let before: Float<"1 d"> | null | undefined;
    for (const edit of TGVE_EDITS) {
      const place = { set: video.set, video: video.name, edit, done: ++done, total };
      const paths = await editedFrames(submission, video, edit);
      if (paths === undefined) {
        yield { type: "edit-missing", path: editFolder(submission, video, edit), ...place };
        continue;
      }
      if (before === undefined) before = await seeInput(video, options, held);
      const scores = await scoreEdit(paths, { video, edit, before }, options);
      const caption = video.edits[edit];
      const event = {
        type: "edit-scored",
        caption,
        frames: paths.length,
        scores,
        ...place,
      } as const;
      scored.push(event);
      yield event;
    }
  }
  yield {
    type: "benchmark-scored",
    scored: scored.length,
    missing: total - scored.length,
    means: meansOf(scored),
    byEdit: {
      style: meansOf(scored, "style"),
      object: meansOf(scored, "object"),
      background: meansOf(scored, "background"),
      multiple: meansOf(scored, "multiple"),
    },
    intervals: intervalsOf(scored),
  };
}

/** ViCLIP's vector of the benchmark's own video; null without ViCLIP. */
async function seeInput(
  video: TgveVideo,
  { dataset, encoders: { viclip }, signal }: TgveOptions,
  held: HeldTensors,
): Promise<Float<"1 d"> | null> {
  if (!viclip) return null;
  const paths = await inputFrames(dataset, video);
  return (await seeVideo(paths, { viclip }, { held, signal })).viclip;
}

interface Subject {
  readonly video: TgveVideo;
  readonly edit: TgveEdit;
  /** ViCLIP's vector of the video before the edit. */
  readonly before: Float<"1 d"> | null;
}

async function scoreEdit(
  paths: readonly string[],
  subject: Subject,
  { encoders, signal }: TgveOptions,
): Promise<TgveScores> {
  using held = new HeldTensors();
  const seen = await seeVideo(paths, encoders, { held, signal });
  using _ = tensorScope();
  return {
    ...clipScores(seen, subject, encoders),
    ...viclipScores(seen, subject, encoders),
  };
}

function clipScores(
  seen: SeenVideo,
  { video, edit }: Subject,
  { clip, pick }: TgveEncoders,
): Pick<TgveScores, "pickScore" | "clipFrame" | "clipText"> {
  const caption = video.edits[edit];
  const scale = ({ network }: LoadedClip): number => network.logitScale.item();
  return {
    pickScore:
      pick && seen.pick ? pickScore(seen.pick, clipTextFeatures(pick, caption), scale(pick)) : null,
    clipFrame: seen.clip && clipFrameConsistency(seen.clip),
    clipText:
      clip && seen.clip
        ? clipTextAlignment(seen.clip, clipTextFeatures(clip, caption), scale(clip))
        : null,
  };
}

function viclipScores(
  seen: SeenVideo,
  { video, edit, before }: Subject,
  { viclip }: TgveEncoders,
): Pick<TgveScores, "viclipDir" | "viclipOut"> {
  if (!viclip || !before || !seen.viclip) return { viclipDir: null, viclipOut: null };
  const captions = {
    input: viclipTextFeatures(viclip, video.caption),
    output: viclipTextFeatures(viclip, video.edits[edit]),
  };
  return {
    viclipDir: viclipDir({ input: before, output: seen.viclip }, captions),
    viclipOut: viclipOut(seen.viclip, captions.output),
  };
}
