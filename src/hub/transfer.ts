import { DataError } from "../engine/errors.ts";
import { Interrupted } from "./errors.ts";
import type { Hub, RemoteFile } from "./hub.ts";
import { PartialFile } from "./partial-file.ts";
import { findSource, isCompressed, type Source } from "./probe.ts";
import { refusal } from "./refusal.ts";
import { type Answer, askFollowing } from "./request.ts";
import { type Retry, withRetries } from "./retry.ts";

/** Who wants to know, and may stop it. */
export interface TransferOptions {
  readonly signal: AbortSignal;
  /** Called whenever the number of bytes on disk has changed; `received` of them have just come in. */
  readonly onBytes: (bytes: number, received: number) => void;
  readonly onRetry: (retry: Retry) => void;
}

/**
 * Brings all bytes of `file` into the file `partialPath`, which then hash to what the list says.
 *
 * Goes on where an earlier try or process has stopped. A wrong hash of bytes that came in several answers may mean
 * that they are of two contents: then everything comes once more. After an error nothing wrong is left on disk.
 */
export async function transfer(
  hub: Hub,
  file: RemoteFile,
  partialPath: string,
  options: TransferOptions,
): Promise<void> {
  await using partial = await PartialFile.open(partialPath, file, options.signal);
  options.onBytes(partial.bytes, 0);
  let outcome = await fillOnce(hub, file, partial, options);
  if (outcome === "mixed") outcome = await fillOnce(hub, file, partial, options);
  if (outcome === "complete") return;
  const { repository, commit, path, digest } = file;
  throw new DataError(
    `${repository}: ${path} arrived damaged: its ${digest.algorithm} is not the ${digest.hex.slice(0, 12)}… that the list of commit ${commit.slice(0, 12)} names; nothing was kept: run the same command again, and if it repeats, try another HF_ENDPOINT or network`,
  );
}

/** Fills the partial file up and checks it; what is wrong is deleted, and its length reported as 0. */
async function fillOnce(
  hub: Hub,
  file: RemoteFile,
  partial: PartialFile,
  options: TransferOptions,
): Promise<"complete" | "mixed" | "wrong"> {
  await fill(hub, file, partial, options);
  if (await partial.isComplete()) return "complete";
  const outcome = partial.isOfOnePiece ? "wrong" : "mixed";
  await partial.restart();
  options.onBytes(0, 0);
  return outcome;
}

async function fill(hub: Hub, file: RemoteFile, partial: PartialFile, options: TransferOptions) {
  const { signal, onBytes, onRetry } = options;
  const advice = "what has arrived is kept: run the same command again";
  const retrying = { clock: hub.clock, signal, advice, onRetry };
  const what = `${file.repository}: ${file.path}`;
  await withRetries(
    what,
    retrying,
    async () => {
      if (partial.bytes >= file.size) return;
      const source = await findSource(hub, file, signal);
      try {
        await receive(hub, file, partial, source, options);
      } finally {
        onBytes(partial.bytes, 0);
      }
    },
    () => partial.bytes,
  );
}

/** One answer's worth of bytes, behind those that are there; returns when none are missing. */
async function receive(
  hub: Hub,
  file: RemoteFile,
  partial: PartialFile,
  source: Source,
  { signal, onBytes }: TransferOptions,
): Promise<void> {
  const timeoutSeconds = hub.settings.downloadTimeoutSeconds;
  const headers: Record<string, string> =
    partial.bytes > 0 ? { range: `bytes=${partial.bytes}-` } : {};
  using answer = await askFollowing(hub, { url: source, headers, timeoutSeconds, signal });
  await placeAnswer(hub, file, partial, answer);
  checkLength(file, partial, answer);
  partial.beginPiece();
  for await (const chunk of answer.chunks()) {
    if (partial.bytes + chunk.length > file.size) {
      await partial.restart();
      throw new Interrupted(
        `${answer.url.host} sends more than the ${file.size} bytes of the list`,
      );
    }
    await partial.append(chunk);
    onBytes(partial.bytes, chunk.length);
  }
  if (partial.bytes < file.size) {
    const missing = `${partial.bytes} of ${file.size} bytes`;
    throw new Interrupted(`${answer.url.host} ended after ${missing}`);
  }
}

/** Decides where the answer's bytes belong: behind the partial file's, or at its start. */
async function placeAnswer(
  hub: Hub,
  file: RemoteFile,
  partial: PartialFile,
  answer: Answer,
): Promise<void> {
  const { status, url, headers } = answer;
  if (status === 200) {
    if (partial.bytes > 0) await partial.restart();
    return;
  }
  if (status === 206) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "");
    const fits =
      range?.[1] === `${partial.bytes}` && ["*", `${file.size}`].includes(range[2] ?? "");
    if (fits) return;
  }
  if (status === 206 || status === 416) {
    await partial.restart();
    throw new Interrupted(`${url.host} has no bytes from where the last try stopped`);
  }
  // the address has expired, or was never good: the next try asks the hub for another
  if (url.origin !== new URL(hub.settings.endpoint).origin) {
    throw new Interrupted(`${url.host} refuses the address that the hub gave (${status})`);
  }
  const { repository, commit, path } = file;
  throw refusal(hub, answer, { repository, revision: commit, path });
}

/** An answer of another length is another content: the login page of a network, say. */
function checkLength(file: RemoteFile, partial: PartialFile, { headers, url }: Answer): void {
  const announced = headers.get("content-length");
  if (announced === null || isCompressed(headers)) return;
  const missing = file.size - partial.bytes;
  if (Number(announced) === missing) return;
  throw new Interrupted(`${url.host} announces ${announced} bytes where ${missing} are missing`);
}
