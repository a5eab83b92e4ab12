import { z } from "zod";
import { DataError } from "../engine/errors.ts";
import { type Hub, isCommit, type RemoteFile } from "./hub.ts";
import { refusal, type Subject } from "./refusal.ts";
import { type Answer, askFollowing } from "./request.ts";
import { type Retrying, withRetries } from "./retry.ts";

/** How a question about a repository is asked. */
export type Asking = Pick<Retrying, "signal" | "tries" | "onRetry">;

/** A question is asked less often than a download is tried: nothing is lost by asking again later. */
const TRIES = 4;

/** A page has up to a thousand files. */
const MOST_PAGES = 200;

/** How a question is repeated. */
export function askingPolitely(hub: Hub, asking: Asking): Retrying {
  const advice = "check the network (HTTPS_PROXY, HF_ENDPOINT), then run the same command again";
  return { tries: TRIES, ...asking, clock: hub.clock, advice };
}

/** The commit that a branch or tag stands for now. */
export async function resolveRevision(
  hub: Hub,
  repository: string,
  revision: string,
  asking: Asking,
): Promise<string> {
  if (isCommit(revision)) return revision;
  const url = new URL(
    `${hub.settings.endpoint}/api/models/${repository}/revision/${encodeURIComponent(revision)}`,
  );
  const { content } = await askJson(hub, url, { repository, revision }, asking);
  return parse(z.object({ sha: z.string().refine(isCommit) }), content, url).sha;
}

const hexadecimal = (digits: number) => z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`));

const Page = z.array(
  z.object({
    type: z.string(),
    path: z.string(),
    size: z.int().nonnegative(),
    oid: hexadecimal(40),
    lfs: z.object({ oid: hexadecimal(64), size: z.int().nonnegative() }).optional(),
    xetHash: z.string().optional(),
  }),
);

/** An entry of the listing, as the hub and the cache's `trees/` file know it. */
export type TreeEntry = z.infer<typeof Page>[number];

/** All files of a repository at a commit, page by page. */
export async function listTree(
  hub: Hub,
  repository: string,
  commit: string,
  asking: Asking,
): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = [];
  const address = `${hub.settings.endpoint}/api/models/${repository}/tree/${commit}`;
  const seen = new Set<string>();
  let query: string | undefined = "?recursive=true";
  while (query !== undefined && !seen.has(query)) {
    seen.add(query);
    if (seen.size > MOST_PAGES)
      throw new DataError(
        `the list of ${repository} has more than ${MOST_PAGES} pages, where a few were expected: check HF_ENDPOINT`,
      );
    const url = new URL(address + query);
    const subject = { repository, revision: commit };
    const { content, headers } = await askJson(hub, url, subject, asking);
    entries.push(...parse(Page, content, url).filter(({ type }) => type === "file"));
    query = nextQuery(headers.get("link"), url);
  }
  for (const { path } of entries) checkPath(path, repository);
  return entries;
}

/** The file that an entry describes, with what its bytes hash to. */
export function remoteFile(
  { path, size, oid, lfs }: TreeEntry,
  repository: string,
  commit: string,
): RemoteFile {
  return lfs === undefined
    ? { repository, commit, path, size, digest: { algorithm: "git-sha1", hex: oid } }
    : { repository, commit, path, size: lfs.size, digest: { algorithm: "sha256", hex: lfs.oid } };
}

/**
 * The query of the next page.
 *
 * Only the query: the links that a mirror passes on name the host it mirrors.
 */
function nextQuery(link: string | null, url: URL): string | undefined {
  const next = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(link ?? "")?.[1];
  return next === undefined ? undefined : (URL.parse(next, url.href)?.search ?? undefined);
}

/** A path becomes a path on this disk: it must not lead out of its folder. */
function checkPath(path: string, repository: string): void {
  const parts = path.split("/");
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const isBad = /[\\\u0000-\u001f]|^[A-Za-z]:/.test(path);
  if (!isBad && parts.every((part) => part !== "" && part !== "." && part !== "..")) return;
  throw new DataError(
    `${repository} lists a file "${path.slice(0, 100)}", which is no path within its folder: do not trust this repository`,
  );
}

async function askJson(hub: Hub, url: URL, subject: Subject, asking: Asking) {
  const ask = async () => {
    using answer = await askFollowing(hub, {
      url,
      timeoutSeconds: hub.settings.answerTimeoutSeconds,
      signal: asking.signal,
    });
    if (answer.status !== 200) throw refusal(hub, answer, subject);
    return { content: await readJson(answer), headers: answer.headers };
  };
  return withRetries(subject.repository, askingPolitely(hub, asking), ask);
}

async function readJson(answer: Answer): Promise<unknown> {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notTheHub(answer.url, cause);
  }
}

function parse<T extends z.ZodType>(schema: T, content: unknown, url: URL): z.infer<T> {
  const { success, data, error } = schema.safeParse(content);
  if (success) return data;
  throw notTheHub(url, error);
}

function notTheHub(url: URL, cause: unknown): DataError {
  return new DataError(
    `${url.origin}${url.pathname} answers with something else than a hub's list: check HF_ENDPOINT, and that no login page of a network stands between`,
    { cause },
  );
}
