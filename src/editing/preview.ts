import { basename } from "node:path";
import type { VideoInfo } from "../data/video/video-info.ts";
import { seconds } from "../data/video/time-base.ts";
import type { OpenSource } from "../data/video/video-source.ts";
import { UserError } from "../engine/errors.ts";
import type { EditRequest } from "./check.ts";
import { editedSpan } from "./frames/pipeline.ts";
import { type PreparationListeners, preparedEdit } from "./prepared-edit.ts";
import { type EditedFrame, untouched } from "./settings/edited-frame.ts";
import type { EditingModel } from "./settings/model.ts";
import { isReached, type Moment, parseMoment, whichHas } from "./settings/span.ts";

/**
 * One frame of a video, edited by itself, as the first frame of an edit is.
 *
 * Throws a UserError for a moment that cannot be read or lies behind the video's end.
 */
export async function previewFrame(
  model: EditingModel,
  request: EditRequest,
  at: string | undefined,
  listeners: PreparationListeners,
): Promise<EditedFrame> {
  const { signal } = listeners;
  const { source, info, chain } = await preparedEdit(model, request, listeners);
  const moment = at === undefined ? middleOf(info) : readMoment(at);
  const frame = await frameAt(source, info, moment, signal);
  for await (const edited of editedSpan(untouched(only(frame)), frame.index, {
    model,
    info,
    chain,
    signal,
  })) {
    return edited;
  }
  throw new Error("internal error: one frame gives one edited frame");
}

function middleOf({ frames }: VideoInfo): Moment {
  return { unit: "frames", at: Math.floor((frames ?? 1) / 2) };
}

function readMoment(text: string): Moment {
  const moment = parseMoment(text);
  if (moment) return moment;
  throw new UserError(
    `preview: expected a moment such as 2s or a frame's number, got "${text.slice(0, 60)}"`,
  );
}

async function frameAt(source: OpenSource, info: VideoInfo, moment: Moment, signal: AbortSignal) {
  let start: number | undefined;
  for await (const frame of source.frames(signal)) {
    start ??= frame.ptsSeconds;
    const end = frame.ptsSeconds - start + seconds(frame.duration, frame.timeBase);
    const isShown = moment.unit === "seconds" && end > moment.at + 0.001;
    const place = { index: frame.index, seconds: frame.ptsSeconds - start };
    if (isShown || isReached(moment, place)) return frame;
  }
  const at = moment.unit === "seconds" ? `${moment.at} s` : `frame ${moment.at}`;
  throw new UserError(
    `preview: ${at} lies behind the end of ${basename(info.name)}${whichHas(info)}`,
  );
}

async function* only<T>(value: T): AsyncGenerator<T, void, undefined> {
  yield value;
}
