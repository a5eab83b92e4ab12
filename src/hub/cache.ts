import { link, mkdir, readFile, realpath, rm, stat, symlink } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { z } from "zod";
import { jsonOf } from "../engine/json.ts";
import { type Digest, isCommit } from "./hub.ts";
import type { TreeEntry } from "./listing.ts";
import { copyWhole, writeWhole } from "./whole-file.ts";

/** How a file appears at a second place; not every disk can. */
export interface Linking {
  readonly symlink: (target: string, path: string) => Promise<void>;
  readonly link: (existing: string, path: string) => Promise<void>;
}

/**
 * One repository's folder in the cache, in the layout that all tools of the hub share.
 *
 * `blobs/<etag>` holds contents, `snapshots/<commit>/<path>` links to them, `refs/<revision>` holds commits.
 */
export class RepositoryCache {
  readonly folder: string;
  readonly #locks: string;
  readonly #symlinks: boolean;
  readonly #linking: Linking;

  constructor(
    repository: string,
    settings: { readonly cache: string; readonly symlinks: boolean },
    linking: Linking = { symlink, link },
  ) {
    const name = `models--${repository.replaceAll("/", "--")}`;
    this.folder = join(settings.cache, name);
    this.#locks = join(settings.cache, ".locks", name);
    this.#symlinks = settings.symlinks;
    this.#linking = linking;
  }

  /** The folder in which the files of a commit appear under their own names. */
  snapshot(commit: string): string {
    return join(this.folder, "snapshots", commit);
  }

  blob({ hex }: Digest): string {
    return join(this.folder, "blobs", hex);
  }

  /** Where the first bytes of a blob are kept until all are there. Other tools never write to this name. */
  partial(digest: Digest): string {
    return `${this.blob(digest)}.eve.incomplete`;
  }

  /** Other tools lock `<etag>.lock` in a way that a file's presence does not tell: ours is another. */
  lock({ hex }: Digest): string {
    return join(this.#locks, `${hex}.eve.lock`);
  }

  /** The commit that a branch, tag or commit stood for when it was last asked. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (isCommit(revision)) return revision;
    const text = await readFile(join(this.folder, "refs", revision), "utf8").catch(() => "");
    return isCommit(text.trim()) ? text.trim() : undefined;
  }

  /** Remembers what a branch or tag stands for. */
  async writeRef(revision: string, commit: string): Promise<void> {
    if (isCommit(revision) || (await this.commitOf(revision)) === commit) return;
    await writeWhole(join(this.folder, "refs", revision), commit);
  }

  /** The listing of a commit, where this or another tool has kept it. */
  async readTree(commit: string): Promise<TreeEntry[] | undefined> {
    const text = await readFile(this.#tree(commit), "utf8").catch(() => undefined);
    if (text === undefined) return undefined;
    const { data } = TreeFile.safeParse(jsonOf(text));
    return data && Object.entries(data.files).map(([path, file]) => entryOf(path, file));
  }

  /** Keeps the listing of a commit: with it, tools that are offline know what belongs to a snapshot. */
  async writeTree(commit: string, entries: readonly TreeEntry[]): Promise<void> {
    const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
    const files = Object.fromEntries(sorted.map((entry) => [entry.path, treeFileOf(entry)]));
    const content = JSON.stringify({ format_version: 1, files }, undefined, 1);
    await writeWhole(this.#tree(commit), content);
  }

  /** Forgets the listing of a commit: the next pull asks for it anew. */
  async forgetTree(commit: string): Promise<void> {
    await rm(this.#tree(commit), { force: true });
  }

  /** Lets a blob that is there appear in a snapshot: by link, or as a copy where the disk knows no links. */
  async place(digest: Digest, commit: string, path: string): Promise<void> {
    const blob = this.blob(digest);
    const content = await realpath(blob); // other tools may have made the blob a link itself
    const place = join(this.snapshot(commit), path);
    await mkdir(dirname(place), { recursive: true });
    await rm(place, { force: true });
    const ways = [
      ...(this.#symlinks
        ? [() => this.#linking.symlink(relative(dirname(place), blob), place)]
        : []),
      () => this.#linking.link(content, place),
      () => copyWhole(content, place),
    ];
    for (const [i, way] of ways.entries()) {
      try {
        return await way();
      } catch (error) {
        if (isExisting(error)) return; // another process was quicker
        if (i === ways.length - 1) throw error;
      }
    }
  }

  #tree(commit: string): string {
    return join(this.folder, "trees", `${commit}.json`);
  }
}

/** The bytes of a file, links followed; undefined where there is none. */
export async function sizeOf(path: string): Promise<number | undefined> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() === true ? stats.size : undefined;
}

const TreeFile = z.object({
  format_version: z.literal(1),
  files: z.record(
    z.string(),
    z.object({
      size: z.int(),
      blob_id: z.string(),
      lfs_sha256: z.string().optional(),
      lfs_size: z.int().optional(),
      xet_hash: z.string().optional(),
    }),
  ),
});

type FileOfTree = z.infer<typeof TreeFile>["files"][string];

function entryOf(path: string, file: FileOfTree): TreeEntry {
  const entry = { type: "file", path, size: file.size, oid: file.blob_id };
  return file.lfs_sha256 === undefined
    ? entry
    : { ...entry, lfs: { oid: file.lfs_sha256, size: file.lfs_size ?? file.size } };
}

function treeFileOf({ size, oid, lfs, xetHash }: TreeEntry): FileOfTree {
  return {
    size,
    blob_id: oid,
    ...(lfs === undefined ? {} : { lfs_sha256: lfs.oid, lfs_size: lfs.size }),
    ...(xetHash === undefined ? {} : { xet_hash: xetHash }),
  };
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}
