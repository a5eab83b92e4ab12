import { mkdirSync } from "node:fs";
import { basename } from "node:path";
import { persist, tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { invariant } from "../../engine/errors.ts";
import { readShardTexts, shardPath, writeShard } from "../caches/shards.ts";
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

/** Turns the frames of one clip (square RGB, `size` pixels wide) into latents. */
export type EncodeClip = (frames: readonly Uint8Array[], size: number) => Float<"f c h w">;

/** Clips of one shard: what a run loses at most when it is killed. */
const CLIPS_A_SHARD = 32;

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
  #pending: { clip: ReadClip; latents: Tensor }[] = [];

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
  }

  /** Clips stored or waiting to be. */
  get count(): number {
    return this.#origins.length;
  }

  /** The videos that clips are of. */
  get sources(): Iterable<string> {
    return this.#bySource.keys();
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
    const latents = persist(this.#encode(clip.frames, this.#size).to("float16"));
    this.#pending.push({ clip, latents });
    this.#remember(clip.origin);
    if (this.#pending.length === CLIPS_A_SHARD) this.flush();
    return undefined;
  }

  /** Writes what waits as one shard. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const files = dataFiles(this.#folder);
    const first = this.#places.length;
    const base = shardPath(files.latents, first, this.#pending.length);
    const shard = basename(base);
    mkdirSync(files.latents, { recursive: true });
    mkdirSync(files.strips, { recursive: true });
    const places = this.#pending.map((_, row) => ({ shard, row }));
    this.#pending.forEach(({ clip }, row) =>
      writeStrip(stripPath(this.#folder, first + row), clip.frames, this.#size),
    );
    writeShard(base, () => ({
      tensors: new Map([
        [
          "clip",
          Tensor.stack(
            this.#pending.map(({ latents }) => latents),
            0,
          ),
        ],
      ]),
      texts: this.#pending.map(({ clip }, row) => ({ ...clip.origin, ...places[row]! })),
    }));
    this.#places.push(...places);
    this.#pending = [];
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

  #remember(origin: ClipOrigin): void {
    this.#origins.push(origin);
    this.#known.set(origin.sha256, clipName(origin));
    const { source } = origin;
    this.#bySource.set(source, [...this.of(source), origin]);
  }
}

/** What a shard says of a clip. */
const StoredClip = ClipOrigin.extend({ shard: ClipRecord.shape.shard, row: ClipRecord.shape.row });
