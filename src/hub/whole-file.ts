import { randomUUID } from "node:crypto";
import { copyFile, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Writes a file so that it is there whole or not at all. */
export async function writeWhole(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await throughTemporary(path, (temporary) => writeFile(temporary, content));
}

/** Copies a file so that the copy is there whole or not at all. */
export function copyWhole(from: string, to: string): Promise<void> {
  return throughTemporary(to, (temporary) => copyFile(from, temporary));
}

async function throughTemporary(path: string, write: (temporary: string) => Promise<void>) {
  const temporary = `${path}.${randomUUID().slice(0, 8)}.tmp`;
  try {
    await write(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
