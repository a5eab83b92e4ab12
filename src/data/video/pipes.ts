import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { UserError } from "../../engine/errors.ts";
import { requireSpace } from "../output-file.ts";

/** A file among the system's temporary ones, which goes when it is disposed. */
export interface PipedFile extends AsyncDisposable {
  readonly path: string;
}

/**
 * A place for a file that goes through a pipe: `name` in a folder of its own.
 *
 * A video on its way in is stored first, because it is read three times (its times, its pictures, its sound) and an
 * mp4 may keep its index at its end. One on its way out is stored first, because it is checked when it is complete,
 * and nothing may come out of a pipe if it fails.
 */
export async function pipedFile(name: string): Promise<PipedFile> {
  const folder = await mkdtemp(join(tmpdir(), "open-eve-pipe-"));
  return {
    path: join(folder, name),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Stores all that a stream brings; throws a UserError if it brings nothing. */
export async function storeStream(
  input: Readable,
  path: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await requireSpace(path, () =>
    pipeline(input, createWriteStream(path), signal ? { signal } : {}),
  );
  const { size } = await stat(path);
  if (size === 0) throw new UserError("Nothing came through the pipe: give a video on stdin.");
}

/** Sends a finished file through a stream, which stays open; quiet where the reader has had enough. */
export async function sendFile(path: string, output: Writable): Promise<void> {
  try {
    await pipeline(createReadStream(path), output, { end: false });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EPIPE") return;
    throw error;
  }
}
