import { type SheetRow, writeContactSheet } from "../image/contact-sheet.ts";
import { readPicture } from "../image/read-picture.ts";
import { clipName, dataFiles, stripPath, type ClipRecord } from "./dataset.ts";

/** Clips on the contact sheet at most. */
const ROWS = 24;

/** Writes the contact sheet of a data set: clips from its beginning to its end, with their names and captions. */
export async function writeSheet(folder: string, clips: readonly ClipRecord[]): Promise<string> {
  const { sheet } = dataFiles(folder);
  const rows: SheetRow[] = [];
  for (const clip of spread(clips, ROWS)) {
    const said = clip.caption === "" ? "(no caption)" : clip.caption;
    const label = `${clip.index} · ${clipName(clip)} · ${said}`;
    rows.push({ label, images: [await readPicture(stripPath(folder, clip.index))] });
  }
  await writeContactSheet(sheet, rows);
  return sheet;
}

/** `count` of a list, evenly from its beginning to its end; all of a shorter list. */
export function spread<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list];
  return Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)]!);
}
