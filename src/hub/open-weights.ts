import type { PublicWeights } from "../presets/open-weights.ts";
import { RepositoryCache } from "./cache.ts";
import type { Hub } from "./hub.ts";
import { filesIn, type Request } from "./plan.ts";

/** What has to be asked for to have these weights. */
export function requestFor({ repository, revision, files }: PublicWeights): Request {
  return {
    repository,
    revision,
    files: files.map(({ choices, optional }) => ({
      type: "first-of",
      paths: choices.map(({ path }) => path),
      optional,
    })),
  };
}

/** What weights would take, as far as that can be told without the network. */
export interface Estimate {
  readonly repository: string;
  readonly revision: string;
  readonly folder: string | undefined;
  readonly files: readonly {
    readonly path: string;
    readonly size: number;
    readonly there: number;
  }[];
}

/** Looks into the cache alone; sizes of what is not there are those that the preset names. */
export async function estimate(
  hub: Hub,
  { repository, revision, files: wanted }: PublicWeights,
): Promise<Estimate> {
  const cache = new RepositoryCache(repository, hub.settings);
  const commit = await cache.commitOf(revision);
  const folder = commit === undefined ? undefined : cache.snapshot(commit);
  const present = folder === undefined ? new Map<string, number>() : await filesIn(folder);
  const files = wanted.flatMap(({ choices, optional }) => {
    const found = choices.find(({ path }) => present.has(path));
    if (found === undefined && optional) return [];
    const { path, bytes } = found ?? choices[0]!;
    const there = present.get(path);
    return [{ path, size: there ?? bytes, there: there ?? 0 }];
  });
  return { repository, revision, folder, files };
}
