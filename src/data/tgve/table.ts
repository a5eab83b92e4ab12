import { DataError } from "../../engine/errors.ts";
import { parseCsv } from "../csv.ts";

/** The folders of the benchmark's videos, one for each origin. */
export const TGVE_SETS = ["DAVIS_480p", "youtube_480p", "videvo_480p"] as const;
/** A folder of the benchmark's videos. */
export type TgveSet = (typeof TGVE_SETS)[number];

/** One edit that the benchmark asks for. */
export interface TgveEdit {
  /** What kind of edit it is: `style`, `object`, `background` or `multiple`, and in TGVE+ three more. */
  readonly kind: string;
  /** Its folder in a submission, below that of its video; unlike any other of the video. */
  readonly folder: string;
  /** Null where the benchmark has captions alone. */
  readonly instruction: string | null;
  /** What the video shows. */
  readonly input: string;
  /** What the edit is to show. */
  readonly output: string;
}

/** One video of the benchmark, with all edits of it. */
export interface TgveVideo {
  readonly set: TgveSet;
  readonly name: string;
  readonly edits: readonly TgveEdit[];
}

/** The first cells of the rows that open a section of the table, and the folder of its videos. */
const SECTIONS: ReadonlyMap<string, TgveSet> = new Map([
  ["davis videos:", "DAVIS_480p"],
  ["youtube videos:", "youtube_480p"],
  ["videvo videos:", "videvo_480p"],
]);

const NAME = "Video name";
const CAPTION = "Our GT caption";
/** The four edits of every video, as folders of submissions are named, and where the table has their captions. */
const EDIT_COLUMNS = {
  style: "Style Change Caption",
  object: "Object Change Caption",
  background: "Background Change Caption",
  multiple: "Multiple Changes Caption",
} as const;

/**
 * The videos of TGVE's table, a CSV text, in its order; `what` names it in errors.
 *
 * Sections are found by their markers, wherever they stand; empty rows separate.
 */
export function parseTgveTable(text: string, what: string): TgveVideo[] {
  const [header, ...rows] = parseCsv(text, what).map(({ line, cells }) => ({
    place: `${what}, line ${line}`,
    cells: cells.map((cell) => cell.trim()),
  }));
  const read = cellReader(header?.cells ?? [], what);
  const videos: TgveVideo[] = [];
  let set: TgveSet | undefined;
  for (const { place, cells } of rows) {
    const section = SECTIONS.get((cells[0] ?? "").toLowerCase());
    if (section !== undefined) set = section;
    else if (cells.some((cell) => cell !== "")) {
      if (set === undefined)
        throw new DataError(`${place}: expected "DAVIS Videos:" or another section first`);
      videos.push(videoOf(set, (column) => read(cells, column, place), place));
    }
  }
  requireUnique(videos, what);
  return videos;
}

type CellReader = (row: readonly string[], column: string, place: string) => string;

function cellReader(header: readonly string[], what: string): CellReader {
  const missing = [NAME, CAPTION, ...Object.values(EDIT_COLUMNS)].filter(
    (column) => !header.includes(column),
  );
  if (missing.length > 0) {
    throw new DataError(
      `${what}: expected columns named ${missing.join(", ")} in the first row, got ${header.join(", ").slice(0, 400)}`,
    );
  }
  return (row, column, place) => {
    const cell = row[header.indexOf(column)] ?? "";
    if (cell === "") throw new DataError(`${place}: expected text under "${column}", got nothing`);
    return cell;
  };
}

function videoOf(set: TgveSet, read: (column: string) => string, place: string): TgveVideo {
  const name = read(NAME);
  if (!isFolderName(name))
    throw new DataError(`${place}: expected the name of a folder as ${NAME}, got ${name}`);
  const input = read(CAPTION);
  const edits = Object.entries(EDIT_COLUMNS).map(([kind, column]) => ({
    kind,
    folder: kind,
    instruction: null,
    input,
    output: read(column),
  }));
  return { set, name, edits };
}

/** Whether a name is that of a folder here: it leads nowhere else. */
export function isFolderName(name: string): boolean {
  return /^[^/\\]+$/.test(name) && !name.startsWith(".");
}

function requireUnique(videos: readonly TgveVideo[], what: string): void {
  const seen = new Set<string>();
  for (const { set, name } of videos) {
    const key = `${set}/${name}`;
    if (seen.has(key)) throw new DataError(`${what} lists ${key} twice`);
    seen.add(key);
  }
}
