import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";

/** What a file is, read in pieces: its size, and its SHA-256 in hexadecimal digits. */
export function fileDigest(path: string): { bytes: number; sha256: string } {
  const hash = createHash("sha256");
  const chunk = Buffer.alloc(1 << 22);
  const file = openSync(path, "r");
  let bytes = 0;
  try {
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) {
      hash.update(chunk.subarray(0, read));
      bytes += read;
    }
  } finally {
    closeSync(file);
  }
  return { bytes, sha256: hash.digest("hex") };
}
