import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { z } from "zod";
import { DataError, UserError } from "../../engine/errors.ts";
import { parseCsv } from "../csv.ts";
import { readText } from "../read-text.ts";
import { clipName, type ClipOrigin } from "./dataset.ts";
import { readJsonLines } from "./json-lines.ts";

/** The longest caption that is taken, in characters: what is longer is no caption. */
export const LONGEST_CAPTION = 500;

/** One caption of a file: for a video, or for one clip of it as `videos/fox.mp4#2`. */
export interface CaptionRow {
  /** Which record of the file it is, from 1; a header does not count. */
  readonly row: number;
  readonly clip: string;
  readonly caption: string;
}

type NamedClip = Pick<ClipOrigin, "source" | "clip">;

/** Captions for clips, and what was wrong with some. */
export interface Captions {
  /** By clip, in the order asked for; undefined where there is none. */
  readonly captions: readonly (string | undefined)[];
  readonly warnings: readonly string[];
}

const JsonRow = z.looseObject({ clip: z.string(), caption: z.string() });

/** Reads a captions file: JSON lines with `clip` and `caption`, or CSV with columns of these names. */
export function readCaptions(path: string): CaptionRow[] {
  if (!existsSync(path))
    throw new UserError(`there is no file ${path}: give a .jsonl or .csv file`);
  switch (extname(path).toLowerCase()) {
    case ".jsonl":
      return readJsonLines(path, JsonRow).map(({ clip, caption }, index) => ({
        row: index + 1,
        clip,
        caption,
      }));
    case ".csv":
      return csvRows(path);
    default:
      throw new UserError(`${path}: expected captions as .jsonl or .csv, by its ending`);
  }
}

function csvRows(path: string): CaptionRow[] {
  const [header, ...rows] = parseCsv(readText(path), path);
  const first = header?.cells ?? [];
  const names = first.map((name) => name.trim().toLowerCase());
  const [clip, caption] = [names.indexOf("clip"), names.indexOf("caption")];
  if (clip < 0 || caption < 0) {
    throw new DataError(
      `${path}: expected a first line with the columns clip and caption, got "${first.join(",").slice(0, 60)}"`,
    );
  }
  return rows.map(({ line, cells }, index) => {
    if (cells.slice(names.length).some((cell) => cell.trim() !== "")) {
      throw new DataError(
        `${path}, line ${line}: expected ${names.length} cells as in the first line, got ${cells.length}: put a caption with commas in quotes`,
      );
    }
    return { row: index + 1, clip: cells[clip] ?? "", caption: cells[caption] ?? "" };
  });
}

/**
 * The captions that a file's rows give to clips. A row names a video by the end of its path, with or without its ending.
 *
 * Throws a UserError for a row that fits several videos; rows that fit none are warned of.
 */
export function captionsFromRows(
  clips: readonly NamedClip[],
  rows: readonly CaptionRow[],
): Captions {
  const bySuffix = suffixes(clips);
  const named = new Map<string, string>();
  const strangers: string[] = [];
  const warnings: string[] = [];
  for (const { row, clip, caption } of rows) {
    const [, path = "", number] = /^(.*?)(#\d+)?$/s.exec(clip.trim().replace(/^(\.\/)+/, "")) ?? [];
    const sources = [...(bySuffix.get(path.normalize()) ?? [])];
    if (sources.length > 1) {
      throw new UserError(
        `captions, row ${row}: "${path}" fits ${sources.slice(0, 2).join(" and ")}: write more of the path`,
      );
    }
    const [source] = sources;
    if (source === undefined) strangers.push(clip);
    else if (cleaned(caption) === undefined) warnings.push(tooLong(`captions, row ${row}`));
    else named.set(`${source}${number === "#1" ? "" : (number ?? "#*")}`, cleaned(caption)!);
  }
  if (strangers.length > 0) warnings.push(unmatched(strangers));
  const captionOf = (clip: NamedClip) => named.get(clipName(clip)) ?? named.get(`${clip.source}#*`);
  return { captions: clips.map(captionOf), warnings };
}

function unmatched(strangers: readonly string[]): string {
  const quoted = strangers.slice(0, 3).map((name) => `"${name.slice(0, 60)}"`);
  const more = strangers.length > 3 ? ` and ${strangers.length - 3} more` : "";
  return `captions for ${quoted.join(", ")}${more} fit no clip`;
}

/** The sources by every end of their paths that begins a name; letters with marks in one form, as systems differ. */
function suffixes(clips: readonly NamedClip[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const source of new Set(clips.map((clip) => clip.source))) {
    const { stem, ending } = splitEnding(source.normalize());
    const parts = stem.split("/");
    for (let first = 0; first < parts.length; first++) {
      const suffix = parts.slice(first).join("/");
      for (const name of [suffix, `${suffix}${ending}`])
        found.set(name, (found.get(name) ?? new Set()).add(source));
    }
  }
  return found;
}

/** A source without its ending, and that: `.mp4`, or the slash of a folder of pictures. */
function splitEnding(source: string): { stem: string; ending: string } {
  const ending = source.endsWith("/") ? "/" : extname(source);
  return { stem: source.slice(0, source.length - ending.length), ending };
}

/**
 * The captions beside the videos: `fox.txt` or `fox.mp4.txt` for `fox.mp4`; for `fox/` `fox.txt`, else the text in it.
 *
 * A folder with several texts, none of them `fox/fox.txt`, has no caption and is warned of, as is a text that is none.
 */
export function captionsBeside(folder: string, clips: readonly NamedClip[]): Captions {
  const warnings: string[] = [];
  const known = new Map<string, string | undefined>();
  const read = (source: string): string | undefined => {
    try {
      const name = captionFile(folder, source);
      if (name === undefined) return undefined;
      const text = cleaned(readText(resolve(folder, name)));
      if (text === undefined) warnings.push(tooLong(name));
      return text === "" ? undefined : text;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      warnings.push(`${error.message}; its caption is left out`);
      return undefined;
    }
  };
  const captions = clips.map(({ source }) => {
    if (!known.has(source)) known.set(source, read(source));
    return known.get(source);
  });
  return { captions, warnings };
}

/** The text that may hold the caption of a video, by its path from `folder`; a DataError where several may. */
function captionFile(folder: string, source: string): string | undefined {
  const { stem, ending } = splitEnding(source);
  const isFolder = ending === "/";
  const named = [`${stem}.txt`, isFolder ? `${source}${basename(stem)}.txt` : `${source}.txt`]
    .flatMap(spellings)
    .find((path) => existsSync(resolve(folder, path)));
  if (named !== undefined || !isFolder) return named;
  const texts = textsIn(resolve(folder, source));
  if (texts.length > 1) {
    const two = texts.slice(0, 2).join(" and ");
    throw new DataError(
      `${source} holds ${two}: name the one with its caption ${basename(stem)}.txt`,
    );
  }
  return texts.map((text) => `${source}${text}`)[0];
}

/** The names of the texts in a folder of pictures; none where it is gone. */
function textsIn(path: string): string[] {
  if (!existsSync(path)) return [];
  const isText = (name: string) => extname(name).toLowerCase() === ".txt" && !name.startsWith(".");
  return readdirSync(path).filter(isText).toSorted();
}

/** A path with its name as it is, and with letters and their marks as one sign or as two. */
function spellings(path: string): string[] {
  const name = basename(path);
  return [name, name.normalize("NFC"), name.normalize("NFD")].map((one) =>
    join(dirname(path), one),
  );
}

function tooLong(where: string): string {
  return `${where}: a caption has at most ${LONGEST_CAPTION} characters, this one is left out`;
}

/** One line without spaces around it, or undefined for a text that is too long. */
function cleaned(text: string): string | undefined {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > LONGEST_CAPTION ? undefined : line;
}
