import { statSync } from "node:fs";
import { basename, join, parse, resolve } from "node:path";
import { readCodec, readQuality } from "../../data/video/codecs.ts";
import type { OutputChoice } from "../../data/video/outputs.ts";
import { isPictureFolder, tgveFolder } from "../../data/video/picture-folder.ts";
import { isPictureFile } from "../../data/video/picture-source.ts";
import { pipedFile, sendFile, storeStream } from "../../data/video/pipes.ts";
import { inferTask } from "../../data/world/language.ts";
import type { Receipt } from "../../editing/report/receipt.ts";
import { readSettings } from "../../editing/settings/settings.ts";
import { UserError } from "../../engine/errors.ts";
import type { GivenOptions } from "./edit-options.ts";

/** How an output is stored: what the options say, else what the receipt says of one of the same kind. */
export function encodingFrom(
  { codec, quality, tgve }: GivenOptions,
  output: string,
  receipt?: Pick<Receipt, "output">,
): OutputChoice {
  const before = receipt?.output;
  if (isPictureFolder(output)) {
    const pictures = typeof tgve === "string" ? "tgve" : before?.pictures;
    return {
      ...(pictures === undefined ? {} : { pictures }),
      ...(typeof codec === "string" ? { codec: readCodec(codec) } : {}),
      ...(typeof quality === "string" ? { quality: readQuality(quality) } : {}),
    };
  }
  const chosen = typeof codec === "string" ? readCodec(codec) : before?.codec;
  const kept = typeof quality === "string" ? readQuality(quality) : before?.quality;
  return {
    ...(chosen === undefined ? {} : { codec: chosen }),
    ...(kept === undefined ? {} : { quality: kept }),
  };
}

/** Where the edit of a video goes: `-o`, in TGVE's folders with `--tgve`; else a name made from the video's. */
export function outputOf(
  { out, tgve }: GivenOptions,
  video: string,
  settings: Readonly<Record<string, unknown>>,
): string {
  const isGiven = typeof out === "string";
  if (typeof tgve === "string") {
    if (video === "-") throw new UserError("--tgve names folders after the video: give its file");
    const { task, instruction } = readSettings(settings);
    return tgveFolder(isGiven ? out : ".", tgve, video, task ?? inferTask(instruction));
  }
  if (isGiven) return out;
  if (video === "-") return "stdin-edited.mp4";
  const { stem, ending } = resultName(video);
  return `${stem}-edited${ending}`;
}

/** What a result is called after, and how it ends: that of a picture is a picture, that of a folder of pictures a folder. */
export function resultName(video: string): { readonly stem: string; readonly ending: string } {
  if (statSync(video, { throwIfNoEntry: false })?.isDirectory() === true)
    return { stem: basename(resolve(video)), ending: "/" };
  return { stem: parse(video).name, ending: isPictureFile(video) ? ".png" : ".mp4" };
}

/** Where the result of one of several seeds is written: `out.mp4` gives `out-seed-7.mp4`, `out/` `out-seed-7/`. */
export function seedPath(output: string, seed: number): string {
  const { dir, name, ext } = parse(output);
  const folder = isPictureFolder(output) ? "/" : "";
  return join(dir, `${name}-seed-${seed}${ext}${folder}`);
}

/** Where the results of several seeds are shown together. */
export function seedSheetPath(output: string): string {
  const { dir, name } = parse(output);
  return join(dir, `${name}-seeds.png`);
}

/** The files that an edit reads and writes, also where the user gave pipes. */
export interface EditFiles extends AsyncDisposable {
  readonly video: string;
  /** What the receipt calls the video. */
  readonly videoName: string;
  readonly output: string;
  /** Sends the finished output through stdout, if that is where it was to go. */
  readonly deliver: () => Promise<void>;
}

/** Stores what comes through stdin (`-`), and makes a place for what goes through stdout (`-`, as Matroska). */
export async function editFiles(
  video: string,
  output: string,
  signal: AbortSignal | undefined,
): Promise<EditFiles> {
  requirePipe("stdin", video, process.stdin.isTTY);
  requirePipe("stdout", output, process.stdout.isTTY);
  await using stack = new AsyncDisposableStack();
  const input = video === "-" ? stack.use(await pipedFile("stdin")) : undefined;
  if (input) await storeStream(process.stdin, input.path, signal);
  // Matroska holds every codec, every sound and any times, and is read from a pipe from its first byte on.
  const result = output === "-" ? stack.use(await pipedFile("edited.mkv")) : undefined;
  const files = stack.move();
  return {
    video: input?.path ?? video,
    videoName: video,
    output: result?.path ?? output,
    deliver: async () => result && (await sendFile(result.path, process.stdout)),
    [Symbol.asyncDispose]: () => files.disposeAsync(),
  };
}

function requirePipe(name: "stdin" | "stdout", path: string, isTerminal: boolean): void {
  if (path !== "-" || !isTerminal) return;
  const how = name === "stdin" ? "pipe a video into it" : "pipe it on, or give a file with -o";
  throw new UserError(`${name} is a terminal: ${how}`);
}
