import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { persist, tensorScope } from "../../engine/scope.ts";
import { fastType } from "../../engine/settings.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { invariant } from "../../engine/errors.ts";
import { readShards, readShardTexts, shardPath, writeShard } from "../caches/shards.ts";
import { captionsBeside, captionsFromRows, type CaptionRow } from "./captions.ts";
import {
  ClipOrigin,
  clipName,
  ClipRecord,
  dataFiles,
  stripPath,
  type ClipSettings,
} from "./dataset.ts";
import { readJsonLines, writeJsonLines } from "./json-lines.ts";
import type { ReadClip } from "./read-clips.ts";
import { writeStrip } from "./strips.ts";

/** Turns the frames of one clip (square RGB, `size` pixels wide) into latents, as `inFastPrecision` computes. */
export type EncodeClip = (frames: readonly Uint8Array[], size: number) => Float<"f c h w">;

/** Clips of one shard. */
const CLIPS_A_SHARD = 32;

/** A clip that waits until its shard is full. */
interface Waiting {
  readonly origin: ClipOrigin;
  readonly latents: Tensor;
  /** Its pictures; null once they are on its strip. */
  frames: readonly Uint8Array[] | null;
}

/** The clips of a data set on disk, growing shard by shard; what the shards say of themselves is the truth. */
export class ClipStore {
  readonly #folder: string;
  readonly #size: number;
  readonly #encode: EncodeClip | null;
  readonly #origins: ClipOrigin[];
  /** The shard of each stored clip, and its row there. */
  readonly #places: { shard: string; row: number }[] = [];
  readonly #known = new Map<string, string>();
  readonly #bySource = new Map<string, ClipOrigin[]>();
  readonly #precisions = new Set<string>();
  #waiting: Waiting[] = [];
  /** How many of those that wait are on disk. */
  #kept = 0;
  #keptAt = performance.now();

  /** `encode`: null for a store that is only looked at. */
  constructor(folder: string, { size }: ClipSettings, encode: EncodeClip | null) {
    this.#folder = folder;
    this.#size = size;
    this.#encode = encode;
    this.#origins = [];
    const { latents } = dataFiles(folder);
    for (const { shard, row, ...origin } of readShardTexts(latents, StoredClip)) {
      this.#remember(origin);
      this.#places.push({ shard, row });
    }
    this.#resume();
  }

  /** Clips stored or waiting to be. */
  get count(): number {
    return this.#origins.length;
  }

  /** The videos that clips are of. */
  get sources(): Iterable<string> {
    return this.#bySource.keys();
  }

  /** What clips were encoded in, as far as it is noted. */
  get precisions(): ReadonlySet<string> {
    return this.#precisions;
  }

  /** The clips of one video. */
  of(source: string): readonly ClipOrigin[] {
    return this.#bySource.get(source) ?? [];
  }

  /** Takes a clip, unless one with the very same pictures is there: its name is returned then. */
  add(clip: ReadClip): string | undefined {
    const twin = this.#known.get(clip.origin.sha256);
    if (twin !== undefined) return twin;
    invariant(this.#encode, "a store that is only looked at takes no clip");
    using _ = tensorScope();
    const encoded = this.#encode(clip.frames, this.#size);
    const origin = { ...clip.origin, precision: fastType(encoded.device) };
    this.#waiting.push({ ...clip, origin, latents: persist(encoded.to("float16")) });
    this.#remember(origin);
    if (this.#waiting.length === CLIPS_A_SHARD) this.flush();
    return undefined;
  }

  /** Keeps what waits where it was last kept that many seconds ago. */
  keepAfter(seconds: number): void {
    if (performance.now() - this.#keptAt >= seconds * 1000) this.keep();
  }

  /** Writes what waits beside the shards, from where the next store takes it: shards stay as large as ever. */
  keep(): void {
    this.#keptAt = performance.now();
    const fresh = this.#waiting.slice(this.#kept);
    if (fresh.length === 0) return;
    const { waiting: folder } = dataFiles(this.#folder);
    mkdirSync(folder, { recursive: true });
    this.#writeStrips();
    writeClips(
      shardPath(folder, this.#kept, fresh.length),
      fresh,
      fresh.map(({ origin }) => origin),
    );
    this.#kept = this.#waiting.length;
  }

  /** Writes what waits as one shard. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const files = dataFiles(this.#folder);
    const base = shardPath(files.latents, this.#places.length, this.#waiting.length);
    mkdirSync(files.latents, { recursive: true });
    this.#writeStrips();
    const places = this.#waiting.map((_, row) => ({ shard: basename(base), row }));
    writeClips(
      base,
      this.#waiting,
      this.#waiting.map(({ origin }, row) => ({ ...origin, ...places[row]! })),
    );
    this.#places.push(...places);
    this.#waiting = [];
    this.#kept = 0;
    removeWhole(files.waiting);
  }

  /**
   * Writes `clips.jsonl`. A caption comes from `rows`, else from beside the video, else it stays what it was.
   *
   * Throws a UserError where a row fits several videos.
   */
  writeRecords(rows: readonly CaptionRow[] = []): {
    clips: readonly ClipRecord[];
    warnings: readonly string[];
  } {
    const { clips: path } = dataFiles(this.#folder);
    const before = new Map(
      readJsonLines(path, ClipRecord).map(({ sha256, caption }) => [sha256, caption]),
    );
    const given = captionsFromRows(this.#origins, rows);
    const beside = captionsBeside(this.#folder, this.#origins);
    const clips = this.#origins.map((origin, index) => {
      const said = given.captions[index] ?? beside.captions[index] ?? before.get(origin.sha256);
      return { index, ...origin, ...this.#places[index]!, caption: said ?? "" };
    });
    writeJsonLines(path, clips);
    return { clips, warnings: [...given.warnings, ...beside.warnings] };
  }

  /** Takes what an earlier store kept, unless a shard has it by now. */
  #resume(): void {
    const { waiting: folder } = dataFiles(this.#folder);
    const origins = readShardTexts(folder, ClipOrigin);
    if (origins.every(({ sha256 }) => this.#known.has(sha256))) return;
    for (const origin of origins) this.#remember(origin);
    if (this.#encode === null) return;
    using _ = tensorScope();
    const kept = readShards(folder, ClipOrigin);
    this.#waiting = origins.map((origin, index) => {
      const latents = persist(kept.gather("clip", [index]).select(0, 0).to("float16"));
      return { origin, latents, frames: null };
    });
    this.#kept = origins.length;
  }

  #writeStrips(): void {
    mkdirSync(dataFiles(this.#folder).strips, { recursive: true });
    for (const [row, clip] of this.#waiting.entries()) {
      if (clip.frames === null) continue;
      writeStrip(stripPath(this.#folder, this.#places.length + row), clip.frames, this.#size);
      clip.frames = null;
    }
  }

  #remember(origin: ClipOrigin): void {
    this.#origins.push(origin);
    this.#known.set(origin.sha256, clipName(origin));
    const { source, precision } = origin;
    if (precision !== undefined) this.#precisions.add(precision);
    this.#bySource.set(source, [...this.of(source), origin]);
  }
}

/** What a shard says of a clip. */
const StoredClip = ClipOrigin.extend({ shard: ClipRecord.shape.shard, row: ClipRecord.shape.row });

function writeClips(base: string, clips: readonly Waiting[], texts: readonly unknown[]): void {
  const latents = clips.map((clip) => clip.latents);
  writeShard(base, () => ({ tensors: new Map([["clip", Tensor.stack(latents, 0)]]), texts }));
}

/** Removes a folder so that, whenever a process is killed, all of it is there or none. */
function removeWhole(folder: string): void {
  const gone = `${folder}.gone`;
  rmSync(gone, { recursive: true, force: true });
  if (!existsSync(folder)) return;
  renameSync(folder, gone);
  rmSync(gone, { recursive: true });
}
