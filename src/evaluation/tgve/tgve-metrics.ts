import { join } from "node:path";
import { editPath, type TgveDataset } from "../../data/tgve/dataset.ts";
import type { TgveEdit, TgveVideo } from "../../data/tgve/table.ts";
import { HeldTensors } from "../../engine/held-tensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import type { LoadedClip } from "../../models/clip/load-clip.ts";
import type { Interval } from "../statistics/bootstrap.ts";
import { clipTextFeatures, viclipTextFeatures } from "./clip-features.ts";
import { clipFrameConsistency } from "./clip-frame-consistency.ts";
import { clipTextAlignment } from "./clip-text-alignment.ts";
import type { KeptScores } from "./kept-scores.ts";
import { pickScore } from "./pick-score.ts";
import { intervalsOf, meansOf, type TgveMetric, type TgveScores } from "./tgve-means.ts";
import { readSubmission, type SubmittedVideo } from "./submission.ts";
import { seeVideo, type SeenVideo, type TgveEncoders } from "./tgve-video.ts";
import { viclipDir } from "./viclip-dir.ts";
import { viclipOut } from "./viclip-out.ts";

/** Which edit an event is about, and how many of all are done with it. */
interface EditPlace {
  readonly set: TgveVideo["set"];
  readonly video: string;
  /** Its folder in a submission: the kind, with a number where a video has several of it. */
  readonly edit: string;
  readonly kind: string;
  readonly done: number;
  readonly total: number;
  /** Frames that this run has scored so far, and that it is to score. */
  readonly framesDone: number;
  readonly framesTotal: number;
}

/** One edit was scored. */
export interface EditScored extends EditPlace {
  readonly type: "edit-scored";
  /** What the video shows, and the edit. */
  readonly input: string;
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
  /** Means by kind of edit, in the order of the benchmark's table. */
  readonly byEdit: Readonly<Record<string, TgveScores>>;
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
  /** What an earlier run has found, which is not computed again; hears of every other edit. */
  readonly kept?: KeptScores | undefined;
  /** Takes effect within a few frames. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Scores a submission to TGVE or TGVE+ edit by edit, and ends with the means, each edit with the same weight.
 *
 * Frames are JPEG files, read as TGVE's script does: brought to 480 × 480 before any network's own preparation. Networks
 * compute in float32. Before the first edit, throws a DataError where one has too few frames for a metric, a UserError where
 * the benchmark's own frames are missing.
 */
export async function* scoreTgve(options: TgveOptions): AsyncGenerator<TgveEvent> {
  const { submission, kept } = options;
  const { videos, total, framesTotal } = await readSubmission(options);
  const scored: EditScored[] = [];
  let [done, framesDone] = [0, 0];
  for (const { video, input, edits } of videos) {
    using held = new HeldTensors();
    let before: Float<"1 d"> | null | undefined;
    for (const { edit, frames, known } of edits) {
      const named = { set: video.set, video: video.name, edit: edit.folder, kind: edit.kind };
      done++;
      if (frames === undefined) {
        const path = join(submission, editPath(video, edit));
        yield { type: "edit-missing", path, ...named, done, total, framesDone, framesTotal };
        continue;
      }
      const texts = { input: edit.input, caption: edit.output };
      let scores = known;
      if (scores === undefined) {
        if (before === undefined) before = await seeInput(input, options, held);
        scores = await scoreEdit(frames.paths, { edit, before }, options);
        framesDone += frames.paths.length;
        if (frames.sha256 !== undefined)
          kept?.add({ ...named, ...texts, sha256: frames.sha256, scores });
      }
      const place = { ...named, done, total, framesDone, framesTotal };
      const count = frames.paths.length;
      const event = { type: "edit-scored", ...texts, frames: count, scores, ...place } as const;
      scored.push(event);
      yield event;
    }
  }
  yield summary(scored, videos, total);
}

function summary(
  scored: readonly EditScored[],
  videos: readonly SubmittedVideo[],
  total: number,
): BenchmarkScored {
  const kinds = new Set(videos.flatMap(({ edits }) => edits.map(({ edit }) => edit.kind)));
  const ofKind = (wanted: string) => scored.filter(({ kind }) => kind === wanted);
  return {
    type: "benchmark-scored",
    scored: scored.length,
    missing: total - scored.length,
    means: meansOf(scored),
    byEdit: Object.fromEntries([...kinds].map((kind) => [kind, meansOf(ofKind(kind))])),
    intervals: intervalsOf(scored),
  };
}

/** ViCLIP's vector of the benchmark's own video; null without ViCLIP. */
async function seeInput(
  paths: readonly string[],
  { encoders: { viclip }, signal }: TgveOptions,
  held: HeldTensors,
): Promise<Float<"1 d"> | null> {
  if (!viclip) return null;
  return (await seeVideo(paths, { viclip }, { held, signal })).viclip;
}

interface Subject {
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
  { edit }: Subject,
  { clip, pick }: TgveEncoders,
): Pick<TgveScores, "pickScore" | "clipFrame" | "clipText"> {
  const caption = edit.output;
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
  { edit, before }: Subject,
  { viclip }: TgveEncoders,
): Pick<TgveScores, "viclipDir" | "viclipOut"> {
  if (!viclip || !before || !seen.viclip) return { viclipDir: null, viclipOut: null };
  const captions = {
    input: viclipTextFeatures(viclip, edit.input),
    output: viclipTextFeatures(viclip, edit.output),
  };
  return {
    viclipDir: viclipDir({ input: before, output: seen.viclip }, captions),
    viclipOut: viclipOut(seen.viclip, captions.output),
  };
}
