import { extname } from "node:path";
import { requireWritable } from "../../data/output-file.ts";
import { planOutput } from "../../data/video/output-plan.ts";
import type { VideoInfo } from "../../data/video/video-info.ts";
import type { Comparison } from "./comparison.ts";
import { ComparisonSheet } from "./comparison-sheet.ts";
import { ComparisonVideo, sideBySide } from "./comparison-video.ts";

/** Throws a UserError of one sentence where a comparison cannot be written to `path`: a sheet as .png, a video otherwise. */
export async function checkComparison(path: string, info: VideoInfo): Promise<void> {
  if (isSheet(path)) await requireWritable(path);
  else await planOutput(sideBySide(info), path, {});
}

/** A comparison to be written to `path`, which `checkComparison` has seen. */
export function newComparison(path: string, info: VideoInfo): Comparison {
  return isSheet(path) ? new ComparisonSheet(path, info.frames) : new ComparisonVideo(path, info);
}

function isSheet(path: string): boolean {
  return extname(path).toLowerCase() === ".png";
}
