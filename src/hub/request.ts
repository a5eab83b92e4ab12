import { invariant } from "../engine/errors.ts";
import { HubError, Interrupted } from "./errors.ts";
import type { Hub } from "./hub.ts";
import { retryAfter } from "./retry.ts";

/** One question to a server. */
export interface Question {
  readonly url: URL;
  readonly method?: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

/** An answer with its body still to come. Dispose of it: that frees the connection. */
export interface Answer {
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  /** The body as it comes; interrupted when nothing comes for `timeoutSeconds`. */
  chunks(): AsyncGenerator<Uint8Array, void, void>;
  text(): Promise<string>;
  [Symbol.dispose](): void;
}

const MOST_REDIRECTS = 10;

/** A text is a page of a list; those of a thousand files take a megabyte. */
const MOST_TEXT_BYTES = 1 << 26;

const ELSEWHERE = "try again later, or with another HF_ENDPOINT";

/** Asks once. Redirects are answers; a cut or silent connection and a busy server are `Interrupted`. */
export async function ask(hub: Hub, question: Question): Promise<Answer> {
  const { url, method = "GET", signal, timeoutSeconds } = question;
  invariant(!hub.settings.offline, "a question although the hub is offline");
  signal.throwIfAborted();
  const silence = new AbortController();
  const alarm = hub.clock.alarm(timeoutSeconds * 1000, () =>
    silence.abort(new Interrupted(`${url.host} did not answer for ${timeoutSeconds} s`)),
  );
  const failure = (error: unknown) => failureOfFetch(error, url, signal, silence.signal);
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers: headersFor(hub, url, question.headers),
      redirect: "manual",
      signal: AbortSignal.any([signal, silence.signal]),
    });
  } catch (error) {
    alarm[Symbol.dispose]();
    throw failure(error);
  }
  alarm.reset();

  async function* chunks() {
    try {
      for await (const chunk of response.body ?? []) {
        alarm.reset();
        yield chunk;
      }
    } catch (error) {
      throw failure(error);
    }
  }
  const answer: Answer = {
    url,
    status: response.status,
    headers: response.headers,
    chunks,
    text: () => textOf(chunks(), url),
    [Symbol.dispose]() {
      alarm[Symbol.dispose]();
      if (!response.bodyUsed) response.body?.cancel().catch(() => {}); // it may have failed already
      silence.abort(new Error("the answer is no longer wanted"));
    },
  };
  if (isBusy(response.status)) {
    using _ = answer;
    const retryAfterSeconds = retryAfter(response.headers.get("retry-after"), hub.clock);
    throw new Interrupted(`${url.host} answered ${response.status}`, { retryAfterSeconds });
  }
  return answer;
}

/** The whole of a body as text; refuses one without end. */
async function textOf(chunks: AsyncIterable<Uint8Array>, url: URL): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > MOST_TEXT_BYTES)
      throw new HubError(
        `${url.host} sends more than ${MOST_TEXT_BYTES >> 20} MiB in the place of a list: ${ELSEWHERE}`,
      );
    parts.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(parts));
}

/** Asks and follows redirects, each with the headers that are right for its host. */
export async function askFollowing(
  hub: Hub,
  question: Question,
  isFollowed: (location: string) => boolean = () => true,
): Promise<Answer> {
  let { url } = question;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
    const answer = await ask(hub, { ...question, url });
    const location = redirectOf(answer);
    if (location === undefined || !isFollowed(location)) return answer;
    answer[Symbol.dispose]();
    url = target(location, url);
  }
  throw new HubError(
    `${question.url.host} sends from one address to the next without end: ${ELSEWHERE}`,
  );
}

/** Where an answer sends to, as written by the server; undefined if it is no redirect. */
export function redirectOf({ status, headers }: Answer): string | undefined {
  return status >= 300 && status < 400 ? (headers.get("location") ?? undefined) : undefined;
}

/** The address that a redirect from `base` names. */
export function target(location: string, base: URL): URL {
  const url = URL.parse(location, base.href);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new HubError(
    `${base.host} sends to an address that is none, "${location.slice(0, 100)}": ${ELSEWHERE}`,
  );
}

/** The token goes to the endpoint's own origin: whoever holds it can read private weights. */
function headersFor(hub: Hub, url: URL, headers: Question["headers"]): Record<string, string> {
  const { endpoint, token } = hub.settings;
  const isEndpoint = url.origin === new URL(endpoint).origin;
  return {
    ...headers,
    "accept-encoding": "identity",
    "user-agent": "open-eve",
    ...(token !== undefined && isEndpoint ? { authorization: `Bearer ${token}` } : {}),
  };
}

function isBusy(status: number): boolean {
  // 501: the server does not know the method, and never will
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

/** What a failed `fetch` means: stopped by the user, untrusted, or worth another try. */
function failureOfFetch(error: unknown, url: URL, user: AbortSignal, silence: AbortSignal) {
  if (user.aborted) return user.reason;
  if (silence.aborted) return silence.reason;
  const code = codeOf(error);
  if (/^CERT_|^ERR_TLS|CERT|SIGNED|UNABLE_TO_VERIFY/.test(code)) {
    return new HubError(
      `${url.host}: its certificate is not trusted here (${code}); if a proxy of yours signs it, set NODE_EXTRA_CA_CERTS to its certificate`,
      { cause: error },
    );
  }
  return new Interrupted(`the connection to ${url.host} failed (${code})`, { cause: error });
}

function codeOf(error: unknown): string {
  const seen = [error, error instanceof Error ? error.cause : undefined];
  for (const one of seen.toReversed()) {
    if (one instanceof Error && "code" in one && typeof one.code === "string") return one.code;
  }
  const innermost = seen.findLast((one) => one instanceof Error);
  return innermost?.message ?? String(error);
}
