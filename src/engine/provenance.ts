import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { defaultDevice } from "./device.ts";
import { engineInfo, fastType } from "./settings.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

let commit: string | null | undefined;

/** The commit that this process runs, `-changed` where tracked files differ from it; null without git. */
export function gitHash(): string | null {
  if (commit === undefined) commit = readCommit();
  return commit;
}

function readCommit(): string | null {
  const git = (...args: string[]): string =>
    execFileSync("git", args, {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    const hash = git("rev-parse", "HEAD");
    return git("status", "--porcelain", "--untracked-files=no") === "" ? hash : `${hash}-changed`;
  } catch {
    return null; // a copy without git or without its history: there is no hash to tell
  }
}

/** Versions that results may depend on. */
export function versions(): Readonly<Record<"openEve" | "node" | "libtorch", string>> {
  const own = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(`${root}package.json`, "utf8")));
  return { openEve: own.version, node: process.versions.node, libtorch: engineInfo().version };
}

/** How sums are made here: other threads or another precision round them otherwise. */
export function arithmetic(): Readonly<Record<"threads" | "precision", string>> {
  return { threads: String(engineInfo().threads), precision: fastType(defaultDevice()) };
}

/** The machine, without anything that names it. */
export function machine(): Readonly<Record<string, string | number>> {
  const { threads, cudaDevices } = engineInfo();
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    threads,
    memoryBytes: totalmem(),
    cudaDevices,
    platform: `${process.platform} ${process.arch}`,
  };
}
