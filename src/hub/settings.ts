import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { UserError } from "../engine/errors.ts";

/** Where weights come from unless `HF_ENDPOINT` names a mirror. */
const DEFAULT_ENDPOINT = "https://huggingface.co";

const DEFAULT_TIMEOUT_SECONDS = 10;

/** How to reach the hub, and where its files are kept. */
export interface HubSettings {
  /** Address of the hub without a slash at the end, e.g. of a mirror, a path included. */
  readonly endpoint: string;
  /** Sent to the endpoint's origin, and to nobody else. */
  readonly token: string | undefined;
  /** Folder of the cache, shared with other tools. */
  readonly cache: string;
  /** Never use the network. */
  readonly offline: boolean;
  /** Whether snapshots may point to blobs by symbolic links. */
  readonly symlinks: boolean;
  /** How long to wait for an answer. */
  readonly answerTimeoutSeconds: number;
  /** How long a download may stand still. */
  readonly downloadTimeoutSeconds: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the environment variables that all tools of the hub share; `src/hub/README.md` lists them. */
export function hubSettings(environment: Environment = process.env): HubSettings {
  const get = (name: string) => environment[name]?.trim() || undefined;
  const home = homeFolder(get);
  const cache = get("HF_HUB_CACHE") ?? get("HUGGINGFACE_HUB_CACHE") ?? join(home, "hub");
  return {
    endpoint: endpointFrom(get("HF_ENDPOINT") ?? DEFAULT_ENDPOINT),
    token: checkToken(get("HF_TOKEN") ?? readToken(get("HF_TOKEN_PATH") ?? join(home, "token"))),
    cache: resolve(expandHome(cache)),
    offline: isTrue(get("HF_HUB_OFFLINE") ?? get("TRANSFORMERS_OFFLINE")),
    symlinks: !isTrue(get("HF_HUB_DISABLE_SYMLINKS")),
    answerTimeoutSeconds: seconds("HF_HUB_ETAG_TIMEOUT", get("HF_HUB_ETAG_TIMEOUT")),
    downloadTimeoutSeconds: seconds("HF_HUB_DOWNLOAD_TIMEOUT", get("HF_HUB_DOWNLOAD_TIMEOUT")),
  };
}

function homeFolder(get: (name: string) => string | undefined): string {
  return get("HF_HOME") ?? join(get("XDG_CACHE_HOME") ?? join(homedir(), ".cache"), "huggingface");
}

function endpointFrom(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UserError(`HF_ENDPOINT: expected an address like https://…, got "${text}"`);
  }
  return text.replace(/\/+$/, "");
}

function readToken(path: string): string | undefined {
  try {
    return readFileSync(expandHome(path), "utf8").trim() || undefined;
  } catch {
    return undefined; // most people have none, and need none
  }
}

function checkToken(token: string | undefined): string | undefined {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw new UserError(
    "HF_TOKEN: expected one word of letters and digits, got spaces or signs in it",
  );
}

function isTrue(value: string | undefined): boolean {
  return ["1", "ON", "YES", "TRUE"].includes(value?.toUpperCase() ?? "");
}

function seconds(name: string, text: string | undefined): number {
  if (text === undefined) return DEFAULT_TIMEOUT_SECONDS;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new UserError(`${name}: expected a number of seconds above 0, got "${text}"`);
}

function expandHome(path: string): string {
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path;
}
