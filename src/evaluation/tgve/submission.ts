import { dirname } from "node:path";
import { editedFrames, inputFrames, type TgveDataset } from "../../data/tgve/dataset.ts";
import type { TgveEdit, TgveVideo } from "../../data/tgve/table.ts";
import { fileHash } from "../../editing/report/receipt.ts";
import type { KeptScores } from "./kept-scores.ts";
import type { TgveMetric, TgveScores } from "./tgve-means.ts";
import { requireFrames, type TgveEncoders } from "./tgve-video.ts";

/** One edit of the benchmark, and what a submission has of it. */
export interface SubmittedEdit {
  readonly edit: TgveEdit;
  /** Undefined where the submission lacks it; the hash is made where scores are kept. */
  readonly frames: { readonly paths: readonly string[]; readonly sha256?: string } | undefined;
  /** Its scores, where an earlier run kept them. */
  readonly known: TgveScores | undefined;
}

/** A video of the benchmark with its edits. */
export interface SubmittedVideo {
  readonly video: TgveVideo;
  /** The benchmark's own frames; none where no network is to see them. */
  readonly input: readonly string[];
  readonly edits: readonly SubmittedEdit[];
}

/** What is to be scored. */
export interface Submission {
  readonly videos: readonly SubmittedVideo[];
  /** Edits of the benchmark. */
  readonly total: number;
  /** Frames of edits whose scores are not known. */
  readonly framesTotal: number;
}

interface Request {
  readonly dataset: TgveDataset;
  readonly submission: string;
  readonly encoders: TgveEncoders;
  readonly kept?: KeptScores | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Finds all frames that will be read, so that what is wrong with a submission shows at once and not after hours.
 *
 * Throws a DataError where an edit has too few frames for a metric, a UserError where the benchmark's own are missing.
 */
export async function readSubmission(request: Request): Promise<Submission> {
  const { dataset, encoders } = request;
  const videos: SubmittedVideo[] = [];
  for (const video of dataset.videos) {
    const edits: SubmittedEdit[] = [];
    for (const edit of video.edits) edits.push(await submittedEdit(video, edit, request));
    const isSeen = encoders.viclip !== undefined && edits.some(isLeft);
    const input = isSeen ? await inputFrames(dataset, video) : [];
    if (isSeen) requireFrames(input, { viclip: encoders.viclip });
    videos.push({ video, input, edits });
  }
  const all = videos.flatMap(({ edits }) => edits);
  const left = all.filter(isLeft).map(({ frames }) => frames?.paths.length ?? 0);
  return { videos, total: all.length, framesTotal: left.reduce((sum, count) => sum + count, 0) };
}

function isLeft({ frames, known }: SubmittedEdit): boolean {
  return frames !== undefined && known === undefined;
}

async function submittedEdit(
  video: TgveVideo,
  edit: TgveEdit,
  { submission, encoders, kept, signal }: Request,
): Promise<SubmittedEdit> {
  const paths = await editedFrames(submission, video, edit);
  if (paths === undefined) return { edit, frames: undefined, known: undefined };
  requireFrames(paths, encoders);
  if (!kept) return { edit, frames: { paths }, known: undefined };
  const sha256 = await fileHash(dirname(paths[0]!), signal);
  const { set, name } = video;
  const { folder, input, output } = edit;
  const place = { set, video: name, edit: folder, input, caption: output, sha256 };
  return { edit, frames: { paths, sha256 }, known: kept.find(place, metricsOf(encoders)) };
}

/** What the networks measure. */
function metricsOf({ clip, pick, viclip }: TgveEncoders): TgveMetric[] {
  return [
    ...(pick ? (["pickScore"] as const) : []),
    ...(clip ? (["clipFrame", "clipText"] as const) : []),
    ...(viclip ? (["viclipDir", "viclipOut"] as const) : []),
  ];
}
