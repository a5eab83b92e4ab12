import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DataError, UserError } from "../engine/errors.ts";
import { HubError } from "./errors.ts";
import { RepositoryCache, sizeOf } from "./cache.ts";
import { EventQueue } from "../engine/event-queue.ts";
import type { Hub, RemoteFile } from "./hub.ts";
import { withLock } from "./lock.ts";
import { Meter, type PullProgress } from "./meter.ts";
import type { PlannedFile, PlannedRepository } from "./plan.ts";
import type { Retry } from "./retry.ts";
import { checkSpace } from "./space.ts";
import { transfer } from "./transfer.ts";

/** What a pull tells while it runs. */
export type PullEvent =
  | PullProgress
  | ({ readonly type: "retry"; readonly repository: string; readonly path: string } & Retry)
  /** Another process is fetching the same file. */
  | { readonly type: "waiting"; readonly repository: string; readonly path: string }
  | {
      readonly type: "file-pulled";
      readonly repository: string;
      readonly path: string;
      readonly bytes: number;
      readonly location: string;
    }
  | {
      readonly type: "repository-pulled";
      readonly repository: string;
      readonly revision: string;
      readonly commit: string;
      readonly folder: string;
      readonly files: number;
      readonly bytes: number;
    };

/** What a pull has done. */
export interface PullResult {
  /** Of all that was wanted, whether it was there before or not. */
  readonly files: number;
  readonly bytes: number;
  /** What came over the network. */
  readonly receivedBytes: number;
}

/** How a pull goes about it. */
export interface PullOptions {
  readonly signal: AbortSignal;
  /** How many files come at once. */
  readonly parallel?: number;
}

type ToFetch = Extract<PlannedFile, { type: "to-fetch" }>;

/** A file that some job has to fetch, and the repository that is done when all of its files are. */
interface Job {
  readonly file: ToFetch;
  readonly planned: PlannedRepository;
}

/**
 * Fetches what is planned into the cache, several files at once, and checks every byte of it.
 *
 * A file that fails does not stop the others; the error is thrown when they are done. What has arrived stays, so
 * the same pull again goes on from there. Whoever leaves the iteration or aborts the signal stops it.
 */
export async function* pull(
  hub: Hub,
  plan: readonly PlannedRepository[],
  { signal, parallel = 4 }: PullOptions,
): AsyncGenerator<PullEvent, PullResult, void> {
  const stop = new AbortController();
  const run = new PullRun(hub, plan, AbortSignal.any([signal, stop.signal]));
  await checkSpace(hub.settings.cache, run.missingBytes);
  const done = run.start(parallel);
  done.catch(() => {}); // it is thrown below, as soon as the reader has come so far
  try {
    yield* run.events;
    await done;
    return run.result();
  } finally {
    stop.abort(new Error("nobody reads on"));
    await done.catch(() => {});
  }
}

/** The files of one pull and the jobs that fetch them. */
class PullRun {
  readonly events = new EventQueue<PullEvent>();
  readonly #hub: Hub;
  readonly #plan: readonly PlannedRepository[];
  readonly #signal: AbortSignal;
  readonly #meter: Meter;
  readonly #queue: Job[];
  readonly #errors: unknown[] = [];
  readonly #unfinished: Map<PlannedRepository, number>;

  constructor(hub: Hub, plan: readonly PlannedRepository[], signal: AbortSignal) {
    this.#hub = hub;
    this.#plan = plan;
    this.#signal = signal;
    const jobs = plan.flatMap((planned) =>
      planned.files.filter(isToFetch).map((file) => ({ file, planned })),
    );
    // the largest first: no long download starts when all others have ended
    this.#queue = jobs.toSorted((a, b) => b.file.size - a.file.size);
    const bytes = sum(jobs.map(({ file }) => file));
    this.#meter = new Meter(hub.clock, { files: jobs.length, bytes });
    this.#unfinished = new Map(
      plan.map((planned) => [planned, planned.files.filter(isToFetch).length]),
    );
  }

  /** Bytes that are still to come. */
  get missingBytes(): number {
    return this.#queue.reduce((total, { file }) => total + file.size - file.there, 0);
  }

  /** Begins to fetch; rejects with the first error when all that can be done is done. */
  async start(parallel: number): Promise<void> {
    const isAnyMissing = this.#queue.length > 0;
    try {
      for (const planned of this.#plan) await this.#begin(planned);
      for (const { file } of this.#queue) this.#meter.move(keyOf(file.file), file.there, 0);
      await Promise.all(Array.from({ length: parallel }, () => this.#work()));
      if (this.#errors.length > 0) throw this.#failure();
      if (isAnyMissing) this.events.push(this.#meter.progress());
    } finally {
      this.events.close();
    }
  }

  result(): PullResult {
    const files = this.#plan.flatMap((repository) => repository.files);
    return { files: files.length, bytes: sum(files), receivedBytes: this.#meter.received };
  }

  async #begin(planned: PlannedRepository): Promise<void> {
    const cache = new RepositoryCache(planned.repository, this.#hub.settings);
    if (planned.newTree !== undefined) await cache.writeTree(planned.commit, planned.newTree);
    if (this.#unfinished.get(planned) === 0) await this.#finish(planned);
  }

  async #work(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      try {
        await this.#fetch(next.file.file);
        await this.#count(next.planned);
      } catch (error) {
        this.#errors.push(error);
        // what came is not what the list says: the list may be what is wrong
        if (error instanceof DataError) await this.#forgetList(next.planned).catch(() => {});
        if (this.#signal.aborted || isOfTheDisk(error)) this.#queue.length = 0;
      }
    }
  }

  async #fetch(file: RemoteFile): Promise<void> {
    const { repository, commit, path, size, digest } = file;
    const cache = new RepositoryCache(repository, this.#hub.settings);
    const location = join(cache.snapshot(commit), path);
    const onWait = () => this.events.push({ type: "waiting", repository, path });
    const { clock } = this.#hub;
    await mkdir(dirname(cache.blob(digest)), { recursive: true });
    await withLock(cache.lock(digest), { clock, signal: this.#signal, onWait }, async () => {
      if ((await sizeOf(cache.blob(digest))) !== size) await this.#download(file, cache);
      if ((await sizeOf(location)) !== size) await cache.place(digest, commit, path);
    });
    this.#meter.move(keyOf(file), size, 0);
    this.#meter.fileDone();
    this.events.push({ type: "file-pulled", repository, path, bytes: size, location });
  }

  async #forgetList({ repository, commit }: PlannedRepository): Promise<void> {
    await new RepositoryCache(repository, this.#hub.settings).forgetTree(commit);
  }

  async #count(planned: PlannedRepository): Promise<void> {
    const left = (this.#unfinished.get(planned) ?? 0) - 1;
    this.#unfinished.set(planned, left);
    if (left === 0) await this.#finish(planned);
  }

  async #download(file: RemoteFile, cache: RepositoryCache): Promise<void> {
    const { repository, path, digest } = file;
    const partial = cache.partial(digest);
    await transfer(this.#hub, file, partial, {
      signal: this.#signal,
      onBytes: (bytes, received) => {
        this.#meter.move(keyOf(file), bytes, received);
        const progress = this.#meter.due();
        if (progress !== undefined) this.events.push(progress);
      },
      onRetry: (retry) => this.events.push({ type: "retry", repository, path, ...retry }),
    }).catch(async (error: unknown) => {
      if ((await sizeOf(partial)) === 0) await rm(partial, { force: true });
      throw error;
    });
    await rename(partial, cache.blob(digest)).catch(async (error: unknown) => {
      // whoever took our lock for a dead one's may have been quicker with the same content
      if ((await sizeOf(cache.blob(digest))) !== file.size) throw error;
    });
  }

  async #finish({ repository, revision, commit, folder, files }: PlannedRepository): Promise<void> {
    await new RepositoryCache(repository, this.#hub.settings).writeRef(revision, commit);
    const counted = { files: files.length, bytes: sum(files) };
    this.events.push({
      type: "repository-pulled",
      repository,
      revision,
      commit,
      folder,
      ...counted,
    });
  }

  #failure(): unknown {
    if (this.#signal.aborted) return this.#signal.reason;
    const [first, ...more] = this.#errors;
    if (more.length === 0 || !(first instanceof Error)) return first;
    const Kind = first instanceof UserError ? UserError : HubError;
    const others = more.length === 1 ? "1 more file" : `${more.length} more files`;
    return new Kind(`${first.message} (and ${others} failed)`, { cause: first });
  }
}

function isToFetch(file: PlannedFile): file is ToFetch {
  return file.type === "to-fetch";
}

function sum(files: readonly { readonly size: number }[]): number {
  return files.reduce((total, { size }) => total + size, 0);
}

function keyOf({ repository, commit, path }: RemoteFile): string {
  return `${repository}/${commit}/${path}`;
}

/** A full or broken disk stops everything: the next file would fail as this one did. */
function isOfTheDisk(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
