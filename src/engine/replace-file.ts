import { renameSync, writeFileSync } from "node:fs";

/** Writes a small file so that readers see the old or the new content, never a part. */
export function replaceFile(path: string, content: string): void {
  const partial = `${path}.partial`;
  writeFileSync(partial, content);
  renameSync(partial, path);
}
