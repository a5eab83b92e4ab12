import type { FileHandle } from "node:fs/promises";
import { DataError } from "../../engine/errors.ts";
import { readBytes } from "./boxes.ts";
import type { Chapter } from "./chapter.ts";
import {
  contentsOfAll,
  type Element,
  elementAt,
  elementBytes,
  numberBytes,
  numberIn,
} from "./ebml.ts";
import { segmentStart } from "./matroska-size.ts";

/** Elements by their names in the specification (RFC 9559, §5.1.7). */
const ids = {
  Void: "ec",
  SeekHead: "114d9b74",
  Seek: "4dbb",
  SeekID: "53ab",
  SeekPosition: "53ac",
  Cluster: "1f43b675",
  Chapters: "1043a770",
  EditionEntry: "45b9",
  ChapterAtom: "b6",
  ChapterUID: "73c4",
  ChapterTimeStart: "91",
  ChapterTimeEnd: "92",
  ChapterDisplay: "80",
  ChapString: "85",
  ChapLanguage: "437c",
};

/** A table of chapters beyond this is no table of chapters. */
const mostBytes = 2 ** 24;

/** The chapters of a Matroska file's first edition, and in words what else its table holds. */
export async function readMatroskaChapters(
  file: FileHandle,
): Promise<{ chapters: Chapter[]; others: string[] }> {
  const table = await tableOf(file);
  const [edition, ...further] = table ? contentsOfAll(table, ids.EditionEntry) : [];
  const atoms = edition ? contentsOfAll(edition, ids.ChapterAtom) : [];
  const isNested = atoms.some((atom) => contentsOfAll(atom, ids.ChapterAtom).length > 0);
  return {
    chapters: atoms.map(chapterOf),
    others: [
      ...(isNested ? ["chapters within chapters"] : []),
      ...(further.length > 0 ? ["a further list of chapters"] : []),
    ],
  };
}

/** The contents of the table, before the pictures or where the seek head says. */
async function tableOf(file: FileHandle): Promise<Buffer | undefined> {
  let named: number | undefined;
  const segment = segmentStart(await readBytes(file, 0, 4096));
  for await (const element of topElements(file)) {
    if (element.id === ids.Chapters) return await contentsIn(file, element);
    if (element.id === ids.SeekHead && segment !== undefined) {
      const place = placeOfChapters(await contentsIn(file, element));
      named = place === undefined ? undefined : segment + place;
    }
  }
  const found = named === undefined ? undefined : await topElementAt(file, named);
  return found?.id === ids.Chapters ? await contentsIn(file, found) : undefined;
}

/** The elements of the segment before its first pictures. */
async function* topElements(file: FileHandle): AsyncGenerator<Element, void, undefined> {
  for (let at = segmentStart(await readBytes(file, 0, 4096)); at !== undefined;) {
    const element = await topElementAt(file, at);
    if (!element || element.id === ids.Cluster) return;
    yield element;
    at = element.end;
  }
}

async function topElementAt(file: FileHandle, at: number): Promise<Element | undefined> {
  const element = elementAt(await readBytes(file, at, 12), 0);
  if (!element) return undefined;
  const { id, contents, end } = element;
  return { id, start: at, contents: at + contents, end: at + end };
}

async function contentsIn(file: FileHandle, { contents, end }: Element): Promise<Buffer> {
  return await readBytes(file, contents, Math.min(end - contents, mostBytes));
}

/** Counted from the start of the segment's contents. */
function placeOfChapters(seekHead: Buffer): number | undefined {
  const entry = contentsOfAll(seekHead, ids.Seek).find((seek) =>
    contentsOfAll(seek, ids.SeekID).some((id) => id.toString("hex") === ids.Chapters),
  );
  const [position] = entry ? contentsOfAll(entry, ids.SeekPosition) : [];
  return position && Number(numberIn(position));
}

function chapterOf(atom: Buffer): Chapter {
  const [start] = contentsOfAll(atom, ids.ChapterTimeStart);
  const [end] = contentsOfAll(atom, ids.ChapterTimeEnd);
  const [display] = contentsOfAll(atom, ids.ChapterDisplay);
  const [title] = display ? contentsOfAll(display, ids.ChapString) : [];
  return {
    start: start ? numberIn(start) : 0n,
    end: end ? numberIn(end) : null,
    title: title?.toString("utf8") ?? "",
  };
}

/** A table of chapters, all of one edition. */
export function matroskaChapterTable(chapters: readonly Chapter[]): Buffer {
  const atoms = chapters.map(({ start, end, title }, index) =>
    elementBytes(
      ids.ChapterAtom,
      elementBytes(ids.ChapterUID, numberBytes(BigInt(index + 1))),
      elementBytes(ids.ChapterTimeStart, numberBytes(start)),
      ...(end === null ? [] : [elementBytes(ids.ChapterTimeEnd, numberBytes(end))]),
      elementBytes(
        ids.ChapterDisplay,
        elementBytes(ids.ChapString, Buffer.from(title)),
        elementBytes(ids.ChapLanguage, Buffer.from("und")),
      ),
    ),
  );
  return elementBytes(ids.Chapters, elementBytes(ids.EditionEntry, ...atoms));
}

/** Puts a table of chapters in the place of the filler of its length that was left before the first pictures. */
export async function fillMatroskaChapters(file: FileHandle, table: Buffer): Promise<void> {
  for await (const { id, start, end } of topElements(file)) {
    if (id !== ids.Void || end - start !== table.length) continue;
    await file.write(table, 0, table.length, start);
    return;
  }
  throw new DataError(`There are no ${table.length} bytes free for the chapters: edit to .mp4.`);
}
