import { readFile } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { z } from "zod";
import { textOf } from "../../data/read-text.ts";
import { readCodec, readQuality } from "../../data/video/codecs.ts";
import type { OutputChoice } from "../../data/video/outputs.ts";
import { isPictureFolder, PICTURE_LAYOUTS } from "../../data/video/picture-folder.ts";
import { UserError } from "../../engine/errors.ts";
import { jsonText } from "../../engine/json.ts";
import { oneOf } from "../arguments.ts";
import { resultName } from "../edit/edit-files.ts";

/** What a line names besides the settings of the edit, which are those of the library. */
const Line = z.looseObject({
  input: z.string().min(1),
  instruction: z.string(),
  output: z.string().min(1).optional(),
  compare: z.string().min(1).optional(),
  changeMap: z.string().min(1).optional(),
  codec: z.string().optional(),
  quality: z.union([z.string(), z.number()]).optional(),
  pictures: z.string().optional(),
});

/** One edit of a batch: what a line of the file asks for, or what is wrong with the line. */
export type BatchLine = {
  /** Counts from 1. */
  readonly number: number;
} & (
  | {
      readonly isReadable: true;
      readonly video: string;
      readonly output: string;
      readonly encoding: OutputChoice;
      readonly compare: string | undefined;
      readonly changeMap: string | undefined;
      readonly settings: Readonly<Record<string, unknown>>;
    }
  | { readonly isReadable: false; readonly problem: string }
);

/**
 * Reads a file with one JSON object a line; blank lines do not count.
 *
 * Throws a UserError only where the file cannot be read or holds no line, a DataError where it is no UTF-8: what is wrong
 * with a line belongs to it.
 */
export async function readBatch(path: string, folder: string): Promise<BatchLine[]> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new UserError(`cannot read ${path}: give a file with one JSON object a line`, { cause });
  });
  const lines = textOf(bytes, path)
    .split("\n")
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== "")
    .map(({ line, number }) => readLine(line, number, folder));
  if (lines.length === 0)
    throw new UserError(`${path} holds no line: write one JSON object a line`);
  return withoutCollisions(lines);
}

function readLine(text: string, number: number, folder: string): BatchLine {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { number, isReadable: false, problem: "expected a JSON object, got no JSON" };
  }
  const parsed = Line.safeParse(json, { reportInput: true });
  if (!parsed.success) {
    return { number, isReadable: false, problem: problemOf(parsed.error) };
  }
  try {
    return { number, isReadable: true, ...jobOf(parsed.data, number, folder) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { number, isReadable: false, problem: error.message };
  }
}

/** What a line should be, and what is wrong with it first. */
function problemOf({ issues: [first] }: z.ZodError): string {
  const example = '{"input": "clip.mp4", "instruction": "make the ball blue"}';
  const got = first?.input === undefined ? "nothing" : jsonText(first.input).slice(0, 200);
  const where = first?.path.length ? ` for "${first.path.join(".")}"` : "";
  return `expected an object such as ${example}, got ${got}${where}`;
}

function jobOf(line: z.infer<typeof Line>, number: number, folder: string) {
  const { input, output, compare, changeMap, codec, quality, pictures, ...settings } = line;
  const inFolder = (name: string | undefined) =>
    name === undefined ? undefined : join(folder, name);
  const { stem, ending } = resultName(input);
  const own = output ?? `${String(number).padStart(4, "0")}-${stem}${ending}`;
  const isNamed = extname(own) !== "" || isPictureFolder(own);
  return {
    video: input,
    output: join(folder, isNamed ? own : `${own}.mp4`),
    encoding: {
      ...(codec === undefined ? {} : { codec: readCodec(codec, "codec") }),
      ...(quality === undefined ? {} : { quality: readQuality(String(quality), "quality") }),
      ...(pictures === undefined ? {} : { pictures: oneOf("pictures", pictures, PICTURE_LAYOUTS) }),
    },
    compare: inFolder(compare),
    changeMap: inFolder(changeMap),
    settings,
  };
}

/** Two lines that would write one file are refused, the second of them; so is one that would write what another reads. */
function withoutCollisions(lines: readonly BatchLine[]): BatchLine[] {
  const writers = new Map<string, number>();
  const readers = new Map(
    lines.flatMap((line) => (line.isReadable ? [[resolve(line.video), line.number] as const] : [])),
  );
  return lines.map((line) => {
    if (!line.isReadable) return line;
    const { number, output, compare, changeMap } = line;
    const written = Object.entries({ output, compare, changeMap });
    for (const [what, path] of written) {
      if (path === undefined) continue;
      const [before, reader] = [writers.get(resolve(path)), readers.get(resolve(path))];
      if (before === undefined && reader === undefined) continue;
      const problem =
        before === undefined
          ? `${path} is the input of line ${reader}: give another ${what}`
          : `line ${before} writes ${path} already: give another ${what}`;
      return { number, isReadable: false, problem };
    }
    for (const [, path] of written) if (path !== undefined) writers.set(resolve(path), number);
    return line;
  });
}
