import { renameSync, writeFileSync } from "node:fs";

/** Writes a small file so that readers see the old or the new content, never a part; of several writers the last wins. */
export function replaceFile(path: string, content: string): void {
  const partial = `${path}.${process.pid}.partial`;
  writeFileSync(partial, content);
  renameSync(partial, path);
}
