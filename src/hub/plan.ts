import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { DataError, UserError } from "../engine/errors.ts";
import { RepositoryCache, sizeOf } from "./cache.ts";
import { type Hub, isCommit, isRepositoryName, type RemoteFile } from "./hub.ts";
import {
  type Asking,
  askingPolitely,
  listTree,
  remoteFile,
  resolveRevision,
  type TreeEntry,
} from "./listing.ts";
import { matches } from "./patterns.ts";
import { findSource } from "./probe.ts";
import { withRetries } from "./retry.ts";

/** What is wanted of one repository. */
export interface Request {
  readonly repository: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  readonly files: readonly Wanted[];
}

/** Files of a repository, by pattern, or the first that there is of several names. */
export type Wanted =
  | {
      readonly type: "pattern";
      readonly pattern: string;
      /** Whether nothing that fits is an error. */
      readonly isRequired: boolean;
    }
  | { readonly type: "first-of"; readonly paths: readonly string[]; readonly optional: boolean };

/** What has to be done to have a file. */
export type PlannedFile =
  | { readonly type: "in-place"; readonly path: string; readonly size: number }
  | {
      readonly type: "to-fetch";
      readonly path: string;
      readonly size: number;
      /** Bytes of it that lie in the cache, all of them if it only has to be linked. */
      readonly there: number;
      readonly file: RemoteFile;
    };

/** What has to be done to have all that is wanted of a repository. */
export interface PlannedRepository {
  readonly repository: string;
  readonly revision: string;
  readonly commit: string;
  /** Where its files appear under their own names. */
  readonly folder: string;
  readonly files: readonly PlannedFile[];
  /** Its whole list, where the cache did not have it. */
  readonly newTree: readonly TreeEntry[] | undefined;
}

/** Finds out what is wanted exactly, what of it is there, and whether the rest can be had; changes nothing. */
export async function planPull(
  hub: Hub,
  requests: readonly Request[],
  asking: Asking,
): Promise<PlannedRepository[]> {
  for (const { repository, revision } of requests) {
    if (!isRepositoryName(repository)) {
      throw new UserError(`expected a repository as owner/name, got "${repository}"`);
    }
    if (/(^|\/)\.{0,2}(\/|$)|[\s\\]/.test(revision)) {
      throw new UserError(`expected a branch, tag or commit, got "${revision}"`);
    }
  }
  const plan = hub.settings.offline ? planOffline : planOnline;
  return Promise.all(requests.map((request) => plan(hub, request, asking)));
}

async function planOnline(hub: Hub, request: Request, asking: Asking): Promise<PlannedRepository> {
  const { repository, revision } = request;
  const cache = new RepositoryCache(repository, hub.settings);
  const commit = await resolveRevision(hub, repository, revision, asking);
  const kept = await cache.readTree(commit);
  const ask = async () => {
    const newTree = await listTree(hub, repository, commit, asking);
    return { ...(await planFiles(hub, request, { commit, tree: newTree }, asking)), newTree };
  };
  if (kept === undefined) return ask();
  const byKept = planFiles(hub, request, { commit, tree: kept }, asking);
  // a list that says something else than the server, or lacks what is wanted, may have been wrong when it was kept
  return byKept.catch((error: unknown) => {
    if (error instanceof DataError) return ask();
    throw error;
  });
}

async function planFiles(
  hub: Hub,
  request: Request,
  { commit, tree }: { readonly commit: string; readonly tree: readonly TreeEntry[] },
  asking: Asking,
): Promise<PlannedRepository> {
  const { repository, revision } = request;
  const cache = new RepositoryCache(repository, hub.settings);
  const entries = new Map(tree.map((entry) => [entry.path, entry]));
  const chosen = choose(request, [...entries.keys()]);
  const files = await Promise.all(
    chosen.map((path) => {
      const file = remoteFile(entries.get(path)!, repository, commit);
      return planFile(cache, file);
    }),
  );
  await checkAccess(hub, files, asking);
  const folder = cache.snapshot(commit);
  return { repository, revision, commit, folder, files, newTree: undefined };
}

async function planFile(cache: RepositoryCache, file: RemoteFile): Promise<PlannedFile> {
  const { path, size, digest, commit } = file;
  if ((await sizeOf(join(cache.snapshot(commit), path))) === size) {
    return { type: "in-place", path, size };
  }
  const isInCache = (await sizeOf(cache.blob(digest))) === size;
  const partial = Math.min(size, (await sizeOf(cache.partial(digest))) ?? 0);
  return { type: "to-fetch", path, size, there: isInCache ? size : partial, file };
}

/** Whether the hub lets us have the files: better known before gigabytes of another repository have come. */
async function checkAccess(hub: Hub, files: readonly PlannedFile[], asking: Asking): Promise<void> {
  const missing = files.find(
    (planned) => planned.type === "to-fetch" && planned.there < planned.size,
  );
  if (missing?.type !== "to-fetch") return;
  const { file } = missing;
  await withRetries(`${file.repository}: ${file.path}`, askingPolitely(hub, asking), () =>
    findSource(hub, file, asking.signal),
  );
}

/** Without the network, what is wanted has to be there. */
async function planOffline(hub: Hub, request: Request): Promise<PlannedRepository> {
  const { repository, revision } = request;
  const cache = new RepositoryCache(repository, hub.settings);
  const commit = await cache.commitOf(revision);
  const place = `${hub.settings.cache}; unset HF_HUB_OFFLINE and run the same command again`;
  if (commit === undefined) {
    throw new UserError(
      `offline, and nothing of ${repository} at revision ${revision} is in ${place}`,
    );
  }
  const folder = cache.snapshot(commit);
  const present = await filesIn(folder);
  const known = (await cache.readTree(commit))?.map(({ path }) => path) ?? [...present.keys()];
  const chosen = choose(request, known);
  const missing = chosen.filter((path) => !present.has(path));
  if (missing.length > 0) {
    throw new UserError(
      `offline, and ${missing.length} of ${chosen.length} files of ${repository} (${missing[0]}) are not in ${place}`,
    );
  }
  const files = chosen.map(
    (path) => ({ type: "in-place", path, size: present.get(path)! }) as const,
  );
  return { repository, revision, commit, folder, files, newTree: undefined };
}

/** The files of a snapshot with their sizes; a link without its blob is no file. */
export async function filesIn(folder: string): Promise<ReadonlyMap<string, number>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path).replaceAll(sep, "/"), await sizeOf(path)] as const;
    }),
  );
  return new Map(sizes.flatMap(([path, size]) => (size === undefined ? [] : [[path, size]])));
}

/** The paths that are wanted of those there are, each once. */
function choose({ repository, revision, files }: Request, paths: readonly string[]): string[] {
  const chosen = new Set<string>();
  for (const wanted of files) {
    switch (wanted.type) {
      case "pattern": {
        const fitting = paths.filter((path) => matches(wanted.pattern, path));
        if (fitting.length === 0 && wanted.isRequired)
          throw noneFits(repository, wanted.pattern, paths);
        for (const path of fitting) chosen.add(path);
        break;
      }
      case "first-of": {
        const first = wanted.paths.find((path) => paths.includes(path));
        if (first !== undefined) chosen.add(first);
        else if (!wanted.optional) throw noneOf(repository, revision, wanted.paths);
      }
    }
  }
  if (chosen.size === 0) throw noneFits(repository, patternsOf(files), paths);
  return [...chosen];
}

function patternsOf(files: readonly Wanted[]): string {
  return files.flatMap((wanted) => (wanted.type === "pattern" ? wanted.pattern : [])).join(",");
}

function noneFits(repository: string, pattern: string, paths: readonly string[]): UserError {
  const some = paths.slice(0, 8).join(", ") + (paths.length > 8 ? ", …" : "");
  return new UserError(
    `no file of ${repository} fits "${pattern}"; it has ${paths.length === 0 ? "no files" : some}`,
  );
}

function noneOf(repository: string, revision: string, names: readonly string[]): DataError {
  const at = isCommit(revision) ? revision.slice(0, 12) : revision;
  return new DataError(
    `${repository} at ${at} has no ${names.join(" and no ")}: its authors have changed it; please report this`,
  );
}
