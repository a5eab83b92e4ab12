import { extname } from "node:path";
import { requirePageable } from "../../data/comparison/page-limit.ts";
import { requireWritable } from "../../data/output-file.ts";
import { planOutput } from "../../data/video/output-plan.ts";
import { requireSound } from "../../data/video/sound-check.ts";
import type { VideoInfo } from "../../data/video/video-info.ts";
import type { EditSettings } from "../settings/settings.ts";
import { framesWithin, parseSpan } from "../settings/span.ts";
import type { Comparison } from "./comparison.ts";
import { ComparisonInPage } from "./comparison-in-page.ts";
import { ComparisonSheet } from "./comparison-sheet.ts";
import { ComparisonVideo, sideBySide } from "./comparison-video.ts";

/**
 * Throws a UserError of one sentence where a comparison cannot be written to `path`: a sheet as .png, a page as .html, a
 * video otherwise.
 */
export async function checkComparison(
  path: string,
  info: VideoInfo,
  { frames }: Pick<EditSettings, "frames">,
): Promise<void> {
  switch (kindOf(path)) {
    case "sheet":
      return await requireWritable(path);
    case "page":
      await requireWritable(path);
      return requirePageable(path, framesWithin(parseSpan(frames).span, info) ?? 0, info);
    case "video":
      await planOutput(sideBySide(info), path);
      await requireSound(info, path);
  }
}

/** A comparison to be written to `path`, which `checkComparison` has seen. */
export function newComparison(path: string, info: VideoInfo): Comparison {
  switch (kindOf(path)) {
    case "sheet":
      return new ComparisonSheet(path, info.frames);
    case "page":
      return new ComparisonInPage(path, info);
    case "video":
      return new ComparisonVideo(path, info);
  }
}

function kindOf(path: string): "sheet" | "page" | "video" {
  const ending = extname(path).toLowerCase();
  if (ending === ".png") return "sheet";
  return ending === ".html" ? "page" : "video";
}
