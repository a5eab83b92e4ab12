import { createHash, type Hash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import type { Digest } from "./hub.ts";

const CHUNK_BYTES = 1 << 20;

/** Created where it is missing, kept as it is where it is not, written at positions. */
const FLAGS = constants.O_RDWR | constants.O_CREAT;

/**
 * The first bytes of a file that is on its way, on disk, and the hash of what is there.
 *
 * It outlives the process: whoever opens it again hashes what lies there and goes on behind it.
 */
export class PartialFile {
  readonly path: string;
  readonly #digest: Digest;
  readonly #size: number;
  #handle: FileHandle;
  #hash: Hash;
  #bytes = 0;
  #pieces = 0;

  private constructor(path: string, size: number, digest: Digest, handle: FileHandle) {
    this.path = path;
    this.#size = size;
    this.#digest = digest;
    this.#handle = handle;
    this.#hash = newHash(digest, size);
  }

  /** Opens or creates it; a content of more than `size` bytes cannot be right and is discarded. */
  static async open(
    path: string,
    { size, digest }: { readonly size: number; readonly digest: Digest },
    signal: AbortSignal,
  ): Promise<PartialFile> {
    const partial = new PartialFile(path, size, digest, await open(path, FLAGS));
    try {
      await partial.#read(signal);
      if (partial.bytes > size) await partial.restart();
      return partial;
    } catch (error) {
      await partial[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** How many bytes are there. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether all bytes came in one answer, so that none of them can be of another file. */
  get isOfOnePiece(): boolean {
    return this.#pieces <= 1;
  }

  /** Tells that what is appended from now on comes from another answer. */
  beginPiece(): void {
    this.#pieces++;
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let written = 0; written < chunk.length;) {
      const rest = chunk.subarray(written);
      const { bytesWritten } = await this.#handle.write(rest, 0, rest.length, this.#bytes);
      this.#hash.update(rest.subarray(0, bytesWritten));
      this.#bytes += bytesWritten;
      written += bytesWritten;
    }
  }

  /** Forgets everything. A new file is made: another process may be reading the old one. */
  async restart(): Promise<void> {
    await this.#handle.close();
    await rm(this.path, { force: true });
    this.#handle = await open(this.path, FLAGS);
    this.#hash = newHash(this.#digest, this.#size);
    this.#bytes = 0;
    this.#pieces = 0;
  }

  /** Whether all bytes are there and are the right ones; then they are also safe on the disk. */
  async isComplete(): Promise<boolean> {
    if (this.#bytes !== this.#size || this.hex() !== this.#digest.hex) return false;
    await this.#handle.sync();
    return true;
  }

  /** The hash of what is there, in hexadecimal. */
  hex(): string {
    return this.#hash.copy().digest("hex");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  async #read(signal: AbortSignal): Promise<void> {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await this.#handle.read(buffer, 0, CHUNK_BYTES, this.#bytes);
      if (bytesRead === 0) break;
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#bytes += bytesRead;
    }
    if (this.#bytes > 0) this.#pieces = 2; // nobody knows in how many answers they came
  }
}

function newHash({ algorithm }: Digest, size: number): Hash {
  return algorithm === "sha256"
    ? createHash("sha256")
    : createHash("sha1").update(`blob ${size}\0`);
}
