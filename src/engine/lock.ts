import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { UserError } from "./errors.ts";
import { isAlive } from "./process.ts";

/**
 * Claims a directory for this process: two that write one directory would destroy both their work.
 *
 * The lock names the process and when it started, so that one left by a killed process is recognised
 * and taken over, also where the number has been given to another process since. `work` is what the sentence calls it.
 */
export function claimLock(path: string, work = "training"): Disposable {
  const own = identityOf(process.pid);
  if (!tryCreate(path, own)) {
    const holder = readLock(path);
    const pid = Number.parseInt(holder, 10);
    if (Number.isSafeInteger(pid) && holder === identityOf(pid)) {
      throw new UserError(
        `process ${pid} is ${work} in this directory (${path}): stop it, or give another folder`,
      );
    }
    rmSync(path, { force: true });
    if (!tryCreate(path, own))
      throw new UserError(`another process has just claimed ${path}: give another folder`);
  }
  return {
    [Symbol.dispose]: () => {
      if (readLock(path) === own) rmSync(path, { force: true });
    },
  };
}

/** A link appears with its content or not at all: nobody ever reads half a lock. */
function tryCreate(path: string, content: string): boolean {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, content);
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(own);
  }
}

function readLock(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // released between two looks at it: nobody holds it
  }
}

/** `<pid> <start time>` of a living process, empty for a dead one. */
function identityOf(pid: number): string {
  return isAlive(pid) ? `${pid} ${startTime(pid)}` : "";
}

/** Clock ticks from boot to the start of the process (field 22 of `/proc/<pid>/stat`); 0 where there is no /proc. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "0";
  } catch {
    return "0";
  }
}
