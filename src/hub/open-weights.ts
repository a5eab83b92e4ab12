import { invariant, UserError } from "../engine/errors.ts";
import type { OpenFolders } from "../eve/open/open-folders.ts";
import { PUBLIC_WEIGHTS, type PublicWeights } from "../presets/open-weights.ts";
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
export async function estimate(hub: Hub, weights: PublicWeights): Promise<Estimate> {
  const { repository, revision } = weights;
  const { folder, present } = await lookUp(hub, weights);
  const files = weights.files.flatMap(({ choices, optional }) => {
    const found = choices.find(({ path }) => present.has(path));
    if (found === undefined && optional) return [];
    const { path, bytes } = found ?? choices[0]!;
    const there = present.get(path);
    return [{ path, size: there ?? bytes, there: there ?? 0 }];
  });
  return { repository, revision, folder, files };
}

/** Weights that lie in the cache, whole. */
export interface LocatedWeights {
  /** In which `files` lie. */
  readonly folder: string;
  readonly commit: string;
  /** Of each wanted file the choice that is there, relative to `folder`. */
  readonly files: readonly string[];
}

/** Finds weights that were pulled, without the network; says which command brings them where they were not. */
export async function locateWeights(hub: Hub, weights: PublicWeights): Promise<LocatedWeights> {
  const { repository, group } = weights;
  const { folder, commit, present } = await lookUp(hub, weights);
  const chosen = weights.files.map(({ choices, optional }) => ({
    name: choices[0]!.path,
    path: choices.find(({ path }) => present.has(path))?.path,
    optional,
  }));
  const missing = chosen.find(({ path, optional }) => path === undefined && !optional);
  if (folder === undefined || commit === undefined || missing !== undefined) {
    const what = missing === undefined ? repository : `${missing.name} of ${repository}`;
    throw new UserError(
      `${what} is not in ${hub.settings.cache}: run ./eve pull open --only ${group}`,
    );
  }
  return { folder, commit, files: chosen.flatMap(({ path }) => path ?? []) };
}

/** The folders of the open model's weights; as `locateWeights`. */
export async function locateOpenModel(hub: Hub): Promise<OpenFolders> {
  return {
    pipeline: await folderOf(hub, "text to image"),
    editAdapter: await folderOf(hub, "edit adapter"),
    videoAdapter: await folderOf(hub, "video adapter"),
    firstFrames: await folderOf(hub, "first frame"),
  };
}

/** The folder of what the critics of the open model's distillation see with; as `locateWeights`. */
export async function locateOpenVision(hub: Hub): Promise<string> {
  return folderOf(hub, "critics' features");
}

async function folderOf(hub: Hub, role: string): Promise<string> {
  const weights = PUBLIC_WEIGHTS.find((one) => one.role === role);
  invariant(weights, `the open preset has weights for the role ${role}`);
  return (await locateWeights(hub, weights)).folder;
}

async function lookUp(hub: Hub, { repository, revision }: PublicWeights) {
  const cache = new RepositoryCache(repository, hub.settings);
  const commit = await cache.commitOf(revision);
  const folder = commit === undefined ? undefined : cache.snapshot(commit);
  const present = folder === undefined ? new Map<string, number>() : await filesIn(folder);
  return { commit, folder, present };
}
