import { type Clock, systemClock } from "./clock.ts";
import { type HubSettings, hubSettings } from "./settings.ts";

/** All that the functions of this folder need of the outside. */
export interface Hub {
  readonly settings: HubSettings;
  readonly clock: Clock;
}

/** The hub that the environment names. */
export function openHub(settings: HubSettings = hubSettings()): Hub {
  return { settings, clock: systemClock };
}

/** One file of a repository at a commit. */
export interface RemoteFile {
  /** `owner/name` */
  readonly repository: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
  /** Path within the repository, with slashes. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly digest: Digest;
}

/** What a file's bytes have to hash to. Its digits are the file's etag and its name in the cache. */
export interface Digest {
  /** `git-sha1` is git's blob hash: SHA-1 of `blob`, a space, the length, a zero byte and the content. */
  readonly algorithm: "sha256" | "git-sha1";
  readonly hex: string;
}

const REPOSITORY = /^[\w][\w.-]{0,95}\/[\w][\w.-]{0,95}$/;

/** Whether a text has the form `owner/name`. */
export function isRepositoryName(text: string): boolean {
  return REPOSITORY.test(text) && !text.includes("..") && !text.includes("--");
}

/** Whether a revision is a commit already, and needs no asking. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}
