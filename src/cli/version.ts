import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const root = fileURLToPath(new URL("../../", import.meta.url));
const PackageJson = z.object({ version: z.string() });

/** The project's version, with the commit where there is one: `0.1.0 (abc1234)`. */
export function versionText(): string {
  const { version } = PackageJson.parse(JSON.parse(readFileSync(`${root}package.json`, "utf8")));
  const commit = commitHash();
  return commit === undefined ? version : `${version} (${commit})`;
}

function commitHash(): string | undefined {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined; // no git here, or a copy without its history: the version alone must do
  }
}
