import { DataError } from "../../engine/errors.ts";
import { parseCsv } from "../csv.ts";

/** The four edits of every video of TGVE, as folders of submissions are named. */
export const TGVE_EDITS = ["style", "object", "background", "multiple"] as const;
export type TgveEdit = (typeof TGVE_EDITS)[number];

/** The first cells of the rows that open a section of the table, and the folder of its videos. */
const SECTIONS = {
  "davis videos:": "DAVIS_480p",
  "youtube videos:": "youtube_480p",
  "videvo videos:": "videvo_480p",
} as const;
/** A folder of videos of one origin. */
export type TgveSet = (typeof SECTIONS)[keyof typeof SECTIONS];

/** One video of the benchmark. */
export interface TgveVideo {
  readonly set: TgveSet;
  readonly name: string;
  /** What the video shows. */
  readonly caption: string;
  /** What each edit is to show. */
  readonly edits: Readonly<Record<TgveEdit, string>>;
}

const NAME = "Video name";
const CAPTION = "Our GT caption";
const EDIT_COLUMNS: Readonly<Record<TgveEdit, string>> = {
  style: "Style Change Caption",
  object: "Object Change Caption",
  background: "Background Change Caption",
  multiple: "Multiple Changes Caption",
};

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
    const section = sectionOf(cells[0] ?? "");
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

function sectionOf(cell: string): TgveSet | undefined {
  const key = cell.toLowerCase();
  return Object.entries(SECTIONS).find(([marker]) => marker === key)?.[1];
}

type CellReader = (row: readonly string[], column: string, place: string) => string;

function cellReader(header: readonly string[], what: string): CellReader {
  const missing = [NAME, CAPTION, ...Object.values(EDIT_COLUMNS)].filter(
    (column) => !header.includes(column),
  );
  if (missing.length > 0) {
    throw new DataError(
      `${what}: expected columns named ${missing.join(", ")} in the first row, got ${header.join(", ")}`,
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
  if (!/^[^/\\]+$/.test(name) || name.startsWith(".")) {
    throw new DataError(`${place}: expected the name of a folder as ${NAME}, got ${name}`);
  }
  const edits = {
    style: read(EDIT_COLUMNS.style),
    object: read(EDIT_COLUMNS.object),
    background: read(EDIT_COLUMNS.background),
    multiple: read(EDIT_COLUMNS.multiple),
  };
  return { set, name, caption: read(CAPTION), edits };
}

function requireUnique(videos: readonly TgveVideo[], what: string): void {
  const seen = new Set<string>();
  for (const { set, name } of videos) {
    const key = `${set}/${name}`;
    if (seen.has(key)) throw new DataError(`${what} lists ${key} twice`);
    seen.add(key);
  }
}
