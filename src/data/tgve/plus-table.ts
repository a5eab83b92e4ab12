import { parse } from "node:path";
import { DataError } from "../../engine/errors.ts";
import { isRecord, jsonOf } from "../../engine/json.ts";
import { isFolderName, TGVE_SETS, type TgveEdit, type TgveSet, type TgveVideo } from "./table.ts";

/** What a row of TGVE+ says. */
export const PLUS_FIELDS = ["video", "instruction", "input", "output", "task"] as const;
/** The columns that say it, by their names in a file. */
export type PlusColumns = Readonly<Record<(typeof PLUS_FIELDS)[number], string>>;

/** Their names unless told otherwise. */
export const PLUS_COLUMNS: PlusColumns = {
  /** Path of the video in TGVE's folder, as a video or as frames. */
  video: "video",
  instruction: "instruction",
  input: "input_caption",
  output: "output_caption",
  /** The kind of edit; rows without it are all of one kind. */
  task: "task",
};

/** The kind of an edit whose row says none. */
const UNNAMED = "edit";

/**
 * The videos of TGVE+ with their edits, from JSON lines, an object for each row; `what` names the text in errors.
 *
 * Several edits of a kind of one video are numbered in the order of their rows: `remove-1`, `remove-2`. One alone has the folder
 * that TGVE's has.
 */
export function parsePlusTable(text: string, what: string, columns: PlusColumns): TgveVideo[] {
  const rows = text
    .split("\n")
    .map((line, index) => ({ line, place: `${what}, line ${index + 1}` }))
    .filter(({ line }) => line.trim() !== "")
    .map(({ line, place }) => rowOf(line, place, columns));
  const byVideo = Map.groupBy(rows, ({ set, name }) => `${set}/${name}`);
  return [...byVideo.values()].map((own) => ({
    set: own[0]!.set,
    name: own[0]!.name,
    edits: withFolders(own),
  }));
}

interface PlusRow extends Omit<TgveEdit, "folder"> {
  readonly set: TgveSet;
  readonly name: string;
}

function rowOf(line: string, place: string, columns: PlusColumns): PlusRow {
  const row = jsonOf(line);
  if (!isRecord(row)) throw new DataError(`${place}: expected a JSON object, a row of TGVE+`);
  const read = (field: keyof PlusColumns): string => {
    const value = row[columns[field]];
    if (typeof value === "string" && value.trim() !== "") return value.trim();
    const found = Object.keys(row).join(", ").slice(0, 200);
    const got = JSON.stringify(value)?.slice(0, 60) ?? "no such column";
    throw new DataError(
      `${place}: expected text under "${columns[field]}", got ${got}; the row has ${found}: say which is which by --columns ${field}=<name>`,
    );
  };
  return {
    ...placeOf(read("video"), place),
    kind: columns.task in row ? kindOf(read("task")) : UNNAMED,
    instruction: read("instruction"),
    input: read("input"),
    output: read("output"),
  };
}

/** Finds set and name in a path such as `DAVIS_480p/480p_videos/gold-fish.mp4`. */
function placeOf(path: string, place: string): Pick<TgveVideo, "set" | "name"> {
  const parts = path.split(/[/\\]/);
  const set = TGVE_SETS.find((folder) => parts.includes(folder));
  const { name } = parse(parts.at(-1) ?? "");
  if (set !== undefined && isFolderName(name) && name !== set) return { set, name };
  throw new DataError(
    `${place}: expected the path of a video in ${TGVE_SETS.join(", ")}, got ${path.slice(0, 100)}`,
  );
}

/** A task's name as that of a folder: `Remove Object` is `remove-object`. */
function kindOf(task: string): string {
  return (
    task
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-|-$/g, "") || UNNAMED
  );
}

function withFolders(rows: readonly PlusRow[]): TgveEdit[] {
  const byKind = Map.groupBy(rows, ({ kind }) => kind);
  return rows.map((row) => {
    const { kind, instruction, input, output } = row;
    const alike = byKind.get(kind)!;
    const folder = alike.length === 1 ? kind : `${kind}-${alike.indexOf(row) + 1}`;
    return { kind, folder, instruction, input, output };
  });
}
