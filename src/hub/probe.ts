import { DataError } from "../engine/errors.ts";
import { Interrupted } from "./errors.ts";
import type { Hub, RemoteFile } from "./hub.ts";
import { refusal } from "./refusal.ts";
import { type Answer, askFollowing, redirectOf, target } from "./request.ts";

/** Where a file's bytes can be had now: often a signed address on another host that soon expires. */
export type Source = URL;

/**
 * Asks the hub where a file's bytes are, and whether they are still the listed ones.
 *
 * Redirects within the hub (a renamed repository) are followed; an absolute one is the answer.
 */
export async function findSource(hub: Hub, file: RemoteFile, signal: AbortSignal): Promise<Source> {
  const { repository, commit, path } = file;
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  const url = new URL(`${hub.settings.endpoint}/${repository}/resolve/${commit}/${encoded}`);
  const timeoutSeconds = hub.settings.answerTimeoutSeconds;
  const isRelative = (location: string) => !URL.canParse(location) && !location.startsWith("//");
  const question = { url, timeoutSeconds, signal };
  using head = await askFollowing(hub, { ...question, method: "HEAD" }, isRelative);
  if (![400, 405, 501].includes(head.status)) return sourceFrom(hub, head, file);
  // a server that knows no HEAD is asked for one byte
  const headers = { range: "bytes=0-0" };
  using byte = await askFollowing(hub, { ...question, headers }, isRelative);
  return sourceFrom(hub, byte, file);
}

function sourceFrom(hub: Hub, answer: Answer, file: RemoteFile): Source {
  const { repository, commit, path } = file;
  const location = redirectOf(answer);
  if (location === undefined && ![200, 206, 416].includes(answer.status)) {
    throw refusal(hub, answer, { repository, revision: commit, path });
  }
  checkSame(answer, file, location !== undefined);
  return location === undefined ? answer.url : target(location, answer.url);
}

/** At one commit a file is one content: a server that says otherwise is out of step with its own list. */
function checkSame({ headers, status }: Answer, file: RemoteFile, isRedirect: boolean): void {
  const { repository, commit, path, size, digest } = file;
  const where = `${repository}: ${path} at ${commit.slice(0, 12)}`;
  const advice = "try again later, or with another HF_ENDPOINT";
  const other = headers.get("x-repo-commit");
  if (other !== null && other !== commit) {
    throw new DataError(`${where}: the server answers for commit ${other.slice(0, 12)}: ${advice}`);
  }
  const etag = normalEtag(
    headers.get("x-linked-etag") ?? (isRedirect ? null : headers.get("etag")),
  );
  if (etag !== undefined && etag.length === digest.hex.length && etag !== digest.hex) {
    throw new DataError(
      `${where}: the list says ${digest.hex.slice(0, 12)}…, the server now offers ${etag.slice(0, 12)}…: ${advice}`,
    );
  }
  const linkedSize = headers.get("x-linked-size");
  const plainSize = isRedirect || status !== 200 ? null : headers.get("content-length");
  const offered = linkedSize ?? (isCompressed(headers) ? null : plainSize);
  if (offered !== null && Number(offered) !== size) {
    throw new Interrupted(`the server offers ${offered} bytes of ${path}, the list says ${size}`);
  }
}

/** Whether a body's length on the wire is not its length. */
export function isCompressed(headers: Headers): boolean {
  return (headers.get("content-encoding") ?? "identity") !== "identity";
}

/** The digits of an etag that is a hash: without quotes and the mark of weakness; undefined for any other. */
function normalEtag(etag: string | null): string | undefined {
  const digits = etag?.replace(/^W\//, "").replaceAll('"', "").toLowerCase();
  return digits !== undefined && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(digits) ? digits : undefined;
}
