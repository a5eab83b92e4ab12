import { writeContactSheet } from "../../data/image/contact-sheet.ts";
import { writePng } from "../../data/image/png.ts";
import type { EditedFrame } from "../../editing/settings/edited-frame.ts";
import type { CheckedEdit } from "./edit-request.ts";
import { estimateLine, type JobContext, requirePng } from "./edit-run.ts";

/** Edits one frame and writes it as a PNG; `--compare` adds a sheet with the input beside it. */
export async function runPreview(
  { video, settings, at, output, compare }: CheckedEdit,
  { editor, report, signal }: JobContext,
): Promise<void> {
  if (compare !== undefined) await requirePng("--compare", compare);
  const { instruction, frames: _, ...options } = settings;
  const onWarning = (message: string): void => report.warn(message);
  const frame = await editor.preview(video, instruction, { ...options, at, signal, onWarning });
  await writePng(output, frame.rgb, frame.width, frame.height);
  if (compare !== undefined) await writePair(compare, frame, instruction);
  const { index, ptsSeconds, width, height } = frame;
  report.event(
    { type: "preview", output, frame: index, seconds: ptsSeconds, width, height },
    `${output}: frame ${index}, at ${ptsSeconds.toFixed(2)} s, of ${width} × ${height}`,
  );
}

async function writePair(path: string, frame: EditedFrame, instruction: string): Promise<void> {
  const { width, height } = frame;
  await writeContactSheet(path, [
    { label: "input", images: [{ rgb: frame.source, width, height }] },
    { label: instruction, images: [{ rgb: frame.rgb, width, height }] },
  ]);
}

/** Says what an edit will take, and edits nothing. */
export async function runEstimate(
  { video, settings, output, target, encoding }: CheckedEdit,
  { editor, report, signal }: JobContext,
): Promise<void> {
  const { instruction, ...options } = settings;
  const estimate = await editor.estimate(video, instruction, {
    ...options,
    output,
    encoding,
    signal,
    onWarning: (message) => report.warn(message),
  });
  report.event(
    { ...estimate },
    `${target}: ${estimateLine(estimate)}; nothing was edited (--dry-run)`,
  );
}
