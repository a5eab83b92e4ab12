import { basename } from "node:path";
import { checkOutput, type OutputChoice } from "../data/video/outputs.ts";
import { isPictureFolder } from "../data/video/picture-folder.ts";
import type { VideoInfo } from "../data/video/video-info.ts";
import type { OpenSource } from "../data/video/video-source.ts";
import { DataError } from "../engine/errors.ts";
import { checkComparison } from "./comparison/comparison-kinds.ts";
import { checkMask } from "./frames/mask.ts";
import { requireUnread } from "./unread.ts";
import { type EditSettings, readSettings } from "./settings/settings.ts";
import { requireFrames } from "./settings/span.ts";

/** What to edit and where to put it. */
export interface EditRequest {
  readonly source: OpenSource;
  /** What the receipt calls the video; its path by default, `frames` where a program gives them. */
  readonly videoName?: string | undefined;
  /** The file to write; without one the frames are only handed out. */
  readonly output?: string | undefined;
  /** Where to show input and result together. */
  readonly compare?: string | undefined;
  /** How the output is stored, as far as its name does not say. */
  readonly encoding?: OutputChoice | undefined;
  /** As `EditSettings` describes them; checked here. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A request that nothing cheap speaks against. */
export interface CheckedRequest {
  readonly info: VideoInfo;
  readonly settings: EditSettings;
  /** One sentence for each thing of the input that the output will not have. */
  readonly notices: readonly string[];
}

/**
 * Checks all that can be told without a model: settings, input, mask, output path. Reads one or two frames of a program.
 *
 * Throws a UserError of one sentence for misuse, a DataError for a damaged input.
 */
export async function checkRequest(
  { source, output, compare, encoding, settings }: EditRequest,
  signal?: AbortSignal,
): Promise<CheckedRequest> {
  const checked = readSettings(settings);
  const info = await source.probe(signal);
  if (info.frames === 0) {
    throw new DataError(
      `${basename(info.name)} holds no picture: it is cut off before its first one`,
    );
  }
  const { path, pictures } = info;
  requireUnread([output, compare], [checked.mask]);
  requireUnread([compare], path === null ? [] : [path]);
  if (path !== null && pictures !== null && output !== undefined && !isPictureFolder(output))
    requireUnread([output], [path]);
  requireFrames(checked.frames, info);
  if (checked.mask !== "") await checkMask(checked.mask, info);
  if (compare !== undefined) await checkComparison(compare, info, checked);
  const notices = output === undefined ? [] : await checkOutput(info, output, encoding);
  return { info, settings: checked, notices };
}
