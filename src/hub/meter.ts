import type { Clock } from "./clock.ts";

/** How far a pull is, over all of its files. */
export interface PullProgress {
  readonly type: "progress";
  readonly phase: "downloading";
  readonly filesDone: number;
  readonly files: number;
  /** Bytes on this disk, of the files that were not whole when the pull was planned. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** Of the last ten seconds. */
  readonly bytesPerSecond: number;
  /** Absent as long as nothing comes. */
  readonly etaSeconds?: number;
}

const WINDOW_MS = 10_000;
const INTERVAL_MS = 250;

/** Adds up what all downloads of a pull report. */
export class Meter {
  readonly #clock: Clock;
  readonly #files: number;
  readonly #totalBytes: number;
  readonly #bytesOf = new Map<string, number>();
  #filesDone = 0;
  #samples: { readonly at: number; readonly bytes: number }[] = [];
  #received = 0;
  #reportedAt = -Infinity;

  constructor(clock: Clock, { files, bytes }: { readonly files: number; readonly bytes: number }) {
    this.#clock = clock;
    this.#files = files;
    this.#totalBytes = bytes;
  }

  /** All bytes that have come over the network. */
  get received(): number {
    return this.#received;
  }

  /** A file has `bytes` on disk now; `received` of them have just come in. */
  move(file: string, bytes: number, received: number): void {
    this.#bytesOf.set(file, bytes);
    // questions before the first byte say nothing of how fast bytes come
    if (this.#received === 0) this.#samples = [{ at: this.#clock.now(), bytes: received }];
    this.#received += received;
  }

  fileDone(): void {
    this.#filesDone++;
  }

  /** The progress, unless it was told a moment ago. */
  due(): PullProgress | undefined {
    const now = this.#clock.now();
    if (now - this.#reportedAt < INTERVAL_MS) return undefined;
    this.#reportedAt = now;
    return this.progress();
  }

  progress(): PullProgress {
    const now = this.#clock.now();
    this.#samples.push({ at: now, bytes: this.#received });
    const isInWindow = ({ at }: { at: number }) => now - at <= WINDOW_MS;
    const start = Math.max(0, this.#samples.findIndex(isInWindow) - 1);
    this.#samples = this.#samples.slice(start);
    const { at, bytes: before } = this.#samples[0]!;
    const seconds = (now - at) / 1000;
    const bytesPerSecond = seconds > 0 ? (this.#received - before) / seconds : 0;
    const bytes = [...this.#bytesOf.values()].reduce((sum, n) => sum + n, 0);
    return {
      type: "progress",
      phase: "downloading",
      filesDone: this.#filesDone,
      files: this.#files,
      bytes,
      totalBytes: this.#totalBytes,
      bytesPerSecond,
      ...(bytesPerSecond > 0 ? { etaSeconds: (this.#totalBytes - bytes) / bytesPerSecond } : {}),
    };
  }
}
