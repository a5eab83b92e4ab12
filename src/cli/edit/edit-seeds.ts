import { join, parse } from "node:path";
import { writeContactSheet, type SheetRow } from "../../data/image/contact-sheet.ts";
import type { RgbImage } from "../../data/image/rgb-image.ts";
import type { EditedFrame } from "../../editing/settings/edited-frame.ts";
import { thumbnail } from "./comparison.ts";
import { seedPath } from "./edit-files.ts";
import type { CheckedEdit } from "./edit-request.ts";
import { type JobContext, reportEnd, runJob } from "./edit-run.ts";

/** Pictures of each result in the sheet. */
const COLUMNS = 4;

/** Edits once with each seed, and draws a sheet of all results below the input. */
export async function runSeeds(request: CheckedEdit, context: JobContext): Promise<void> {
  const { video, videoName, output, encoding, info, settings, seeds, resume } = request;
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
      info,
      settings: { ...settings, seed },
    };
    const result = await runJob({ ...own, resume, onFrame }, context);
    reportEnd(result, own.output, context.report);
    rows.push({ label: `seed ${seed}`, images });
  }
  const { dir, name } = parse(output);
  const sheet = join(dir, `${name}-seeds.png`);
  await writeContactSheet(sheet, [{ label: "input", images: input }, ...rows]);
  context.report.event({ type: "sheet", output: sheet }, `${sheet}: ${seeds.length} seeds`);
}
