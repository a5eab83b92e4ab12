import { writeContactSheet, type SheetRow } from "../../data/image/contact-sheet.ts";
import type { RgbImage } from "../../data/image/rgb-image.ts";
import { isPictureFolder } from "../../data/video/picture-folder.ts";
import { readFrames } from "../../data/video/reader.ts";
import { thumbnail } from "../../editing/comparison/comparison-sheet.ts";
import { requireNew } from "../../editing/kept-files.ts";
import type { EditedFrame } from "../../editing/settings/edited-frame.ts";
import { seedPath, seedSheetPath } from "./edit-files.ts";
import { type CheckedEdit, keepingBy } from "./edit-request.ts";
import { type JobContext, reportEnd, runJob } from "./edit-run.ts";
import { finishedEdit } from "./finished-edit.ts";

/** Pictures of each result in the sheet. */
const COLUMNS = 4;

/** Edits once with each seed, and draws a sheet of all results below the input. */
export async function runSeeds(request: CheckedEdit, context: JobContext): Promise<void> {
  const { video, videoName, output, encoding, info, settings, seeds, resume, overwrite } = request;
  const stride = Math.max(1, Math.ceil((info.frames ?? 64) / COLUMNS));
  const input: RgbImage[] = [];
  const rows: SheetRow[] = [];
  for (const seed of seeds) {
    const images: RgbImage[] = [];
    const onFrame = (frame: EditedFrame): void => {
      if (frame.index % stride !== 0 || images.length === COLUMNS) return;
      images.push(thumbnail(frame, frame.rgb));
      if (rows.length === 0) input.push(thumbnail(frame, frame.source));
    };
    const own = {
      video,
      videoName,
      output: seedPath(output, seed),
      encoding,
      settings: { ...settings, seed },
    };
    const isFinished =
      resume && !isPictureFolder(own.output) && (await finishedEdit(own, context.editor.model));
    if (isFinished) {
      await showAgain(own, onFrame, context.signal);
      const text = `${own.output}: finished before`;
      context.report.event({ type: "skipped", output: own.output, seed }, text);
    } else {
      requireNew(own.output, keepingBy(overwrite));
      const result = await runJob({ ...own, resume, onFrame }, context);
      reportEnd(result, own.output, context.report);
    }
    rows.push({ label: `seed ${seed}`, images });
  }
  const sheet = seedSheetPath(output);
  await writeContactSheet(sheet, [{ label: "input", images: input }, ...rows]);
  context.report.event({ type: "sheet", output: sheet }, `${sheet}: ${seeds.length} seeds`);
}

/** Gives the frames of a result that was finished before, with those of its source. */
async function showAgain(
  { video, output }: { readonly video: string; readonly output: string },
  onFrame: (frame: EditedFrame) => void,
  signal: AbortSignal,
): Promise<void> {
  const sources = readFrames(video, { signal });
  for await (const frame of readFrames(output, { signal })) {
    const source = await sources.next();
    if (source.done === true) break;
    onFrame({ ...frame, source: source.value.rgb, isEdited: true });
  }
  await sources.return();
}
