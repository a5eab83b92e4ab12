import { mkdirSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { setImmediate } from "node:timers/promises";
import { captionsFromRows, type CaptionRow } from "./captions.ts";
import {
  checkSettings,
  claimSettings,
  clipName,
  dataFiles,
  type ClipSettings,
  type SkippedVideo,
} from "./dataset.ts";
import { writeJsonLines } from "./json-lines.ts";
import { planVideo, readClipsOf, sourceBytes, type ReadClip } from "./read-clips.ts";
import { writeSheet } from "./sheet.ts";
import { ClipStore, type EncodeClip } from "./store.ts";

/** Seconds after which clips that wait for their shard are kept. */
const KEEP_EVERY = 30;

/** What happens while clips are prepared. */
export type PrepareEvent =
  | {
      readonly type: "prepare-started";
      readonly folder: string;
      readonly videos: number;
      /** Clips that are there already. */
      readonly kept: number;
    }
  | {
      readonly type: "video-done";
      readonly done: number;
      readonly videos: number;
      readonly clips: number;
    }
  | ({ readonly type: "video-skipped" } & SkippedVideo)
  | { readonly type: "precision-warning" | "caption-warning"; readonly message: string }
  | {
      readonly type: "prepared";
      readonly folder: string;
      readonly clips: number;
      /** Of these, made now. */
      readonly added: number;
      readonly skipped: number;
      /** Names of clips without a caption. */
      readonly withoutCaption: readonly string[];
      /** The contact sheet. */
      readonly sheet: string | null;
    };

/** What is prepared, and how. */
export interface PrepareOptions {
  /** The data set's folder. */
  readonly folder: string;
  /** Files, and folders of pictures. */
  readonly videos: readonly string[];
  readonly settings: ClipSettings;
  /** The autoencoder's work on the frames of one clip. */
  readonly encode: EncodeClip;
  /** Captions that were given in a file. */
  readonly captions?: readonly CaptionRow[];
  /** After how many seconds clips that wait for their shard are kept; given in tests. */
  readonly keepEvery?: number;
  readonly signal: AbortSignal;
}

/** What preparing would do, without doing it. */
export interface PreparePlan {
  readonly videos: number;
  readonly clips: number;
  /** Of these, not made yet. */
  readonly missing: number;
  readonly skipped: readonly SkippedVideo[];
}

/** A video that can be cut, or why it cannot. */
type Looked =
  | { readonly type: "kept" }
  | { readonly type: "skipped"; readonly reason: string }
  | { readonly type: "clips"; readonly read: () => Promise<ReadClip[]>; readonly count: number };

/**
 * Cuts, fits and encodes clips of videos into a data set's folder.
 *
 * What is made is kept when it is stopped, and twice a minute; the same call makes what is missing: the folder is then
 * the same as if it had never stopped. What cannot be read is skipped and told, never fatal. Throws a UserError where the folder holds clips of other settings.
 */
export async function* prepareClips(
  options: PrepareOptions,
): AsyncGenerator<PrepareEvent, void, void> {
  const { folder, videos, settings, encode, signal } = options;
  const sources = videos.map((path) => sourceName(folder, path));
  const store = new ClipStore(folder, settings, encode);
  captionsFromRows(
    [...store.sources, ...sources].map((source) => ({ source, clip: 0 })),
    options.captions ?? [],
  ); // rows that fit several videos are refused before hours of work
  mkdirSync(folder, { recursive: true });
  claimSettings(folder, settings);
  const kept = store.count;
  const precisions = new Set(store.precisions);
  const skipped: SkippedVideo[] = [];
  yield { type: "prepare-started", folder, videos: videos.length, kept };
  try {
    for (const [index, path] of videos.entries()) {
      signal.throwIfAborted();
      const source = sources[index]!;
      for await (const reason of added(store, await look(path, source, store, options), options)) {
        skipped.push({ source, reason });
        yield { type: "video-skipped", source, reason };
      }
      const message = mixedPrecisions(precisions, store);
      if (message !== undefined) yield { type: "precision-warning", message };
      yield { type: "video-done", done: index + 1, videos: videos.length, clips: store.count };
    }
    store.flush();
  } finally {
    store.keep();
  }
  writeJsonLines(dataFiles(folder).skipped, skipped);
  const { clips, warnings } = store.writeRecords(options.captions);
  for (const message of warnings) yield { type: "caption-warning", message };
  yield {
    type: "prepared",
    folder,
    clips: clips.length,
    added: clips.length - kept,
    skipped: skipped.length,
    withoutCaption: clips.filter(({ caption }) => caption === "").map(clipName),
    sheet: clips.length === 0 ? null : await writeSheet(folder, clips),
  };
}

/** Looks at every video as `prepareClips` would and writes nothing. */
export async function planPreparation(
  options: Omit<PrepareOptions, "encode">,
  onProgress: (done: number) => void = () => {},
): Promise<PreparePlan> {
  const { folder, videos, settings, signal } = options;
  checkSettings(folder, settings);
  const store = new ClipStore(folder, settings, null);
  const skipped: SkippedVideo[] = [];
  let missing = 0;
  for (const [index, path] of videos.entries()) {
    signal.throwIfAborted();
    const source = sourceName(folder, path);
    const found = await look(path, source, store, options);
    if (found.type === "skipped") skipped.push({ source, reason: found.reason });
    if (found.type === "clips") missing += found.count;
    onProgress(index + 1);
  }
  return { videos: videos.length, clips: store.count + missing, missing, skipped };
}

/** Adds a video's clips to the store; yields a reason for the video or for each clip that is left out. */
async function* added(
  store: ClipStore,
  found: Looked,
  { keepEvery = KEEP_EVERY, signal }: PrepareOptions,
): AsyncGenerator<string, void, void> {
  if (found.type === "skipped") yield found.reason;
  if (found.type !== "clips") return;
  const clips = await found.read().catch(reasonOf);
  signal.throwIfAborted();
  if (typeof clips === "string") return yield clips;
  for (const clip of clips) {
    await setImmediate(); // a request to stop is heard between two clips
    signal.throwIfAborted();
    const twin = store.add(clip);
    store.keepAfter(keepEvery);
    const { origin } = clip;
    if (twin !== undefined) yield `clip ${origin.clip + 1} shows the very pictures of ${twin}`;
  }
}

/** What to say where a clip has been encoded in another precision than those `before`; it is told once. */
function mixedPrecisions(before: Set<string>, { precisions }: ClipStore): string | undefined {
  const now = [...precisions].find((precision) => !before.has(precision));
  if (now === undefined) return undefined;
  const earlier = [...before].join();
  before.add(now);
  if (earlier === "") return undefined;
  return `the clips that were there are encoded in ${earlier}, and new ones in ${now}, as this machine computes: both are of use together; for one precision alone, prepare all on one machine into a new folder`;
}

/** What there is to do for a video. */
async function look(
  path: string,
  source: string,
  store: ClipStore,
  { settings, signal }: Omit<PrepareOptions, "encode">,
): Promise<Looked> {
  const before = store.of(source);
  const bytes = await sourceBytes(path);
  if (before.some((clip) => clip.bytes !== bytes)) {
    const reason = "has changed since its clips were made: they stay; prepare into a new folder";
    return { type: "skipped", reason };
  }
  if (before.length > 0 && before.length === before[0]!.clips) return { type: "kept" };
  try {
    const plan = await planVideo(path, settings, signal);
    const options = { source, cut: settings, size: settings.size, signal };
    const isMissing = ({ origin }: ReadClip) => !before.some(({ clip }) => clip === origin.clip);
    const read = async () => (await readClipsOf(path, plan, options)).filter(isMissing);
    return { type: "clips", read, count: plan.starts.length - before.length };
  } catch (error) {
    signal.throwIfAborted();
    return { type: "skipped", reason: reasonOf(error) };
  }
}

/** Whatever is wrong with a video is a line of the summary, not the end of the work. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll(/\s+/g, " ").trim();
}

/** How a video is called in records; a folder of pictures with a slash, so that `fox/` is another than `fox.mp4`. */
function sourceName(folder: string, path: string): string {
  const video = resolve(path);
  const isFolder = statSync(video, { throwIfNoEntry: false })?.isDirectory() === true;
  // a data set that lies among the pictures themselves calls their folder by its name, too
  const name = join(relative(resolve(folder), dirname(video)), basename(video));
  return `${name.split(sep).join("/")}${isFolder ? "/" : ""}`;
}
