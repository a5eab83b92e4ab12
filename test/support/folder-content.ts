import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

/** A digest of every file in a folder by its path there, folders within included. */
export function folderContent(folder: string): Record<string, string> {
  const content: Record<string, string> = {};
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) continue;
    const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
    content[relative(folder, path)] = digest;
  }
  return content;
}
