import { renameSync, rmSync, writeFileSync } from "node:fs";

/** Writes a small file so that readers see the old or the new content, never a part; of several writers the last wins. Where it cannot, nothing is left. */
export function replaceFile(path: string, content: string): void {
  const partial = `${path}.${process.pid}.partial`;
  try {
    writeFileSync(partial, content);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}
