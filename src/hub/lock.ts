import { randomUUID } from "node:crypto";
import { utimesSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { z } from "zod";
import type { Clock } from "./clock.ts";
import { jsonOf } from "../engine/json.ts";
import { isAlive } from "../engine/process.ts";

const LOOK_AGAIN_MS = 500;
const SIGN_OF_LIFE_MS = 10_000;

/** Whoever has shown no sign of life for so long is taken for dead. */
const GIVEN_UP_MS = 60_000;

/** Whom a lock belongs to. */
const Owner = z.object({ pid: z.int(), host: z.string(), id: z.string() });
type Owner = z.infer<typeof Owner>;

/** What waiting for a lock needs. */
export interface LockOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called once, if another process has to be waited for. */
  readonly onWait: () => void;
}

/**
 * Does `work` while no other process does work under the same lock file.
 *
 * A lock is a file that names its owner and is touched every 10 s. One whose process has died, or that was not
 * touched for a minute, is taken over. Locks save downloads; what is written is right without them too.
 */
export async function withLock<T>(
  path: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const owner: Owner = { pid: process.pid, host: hostname(), id: randomUUID() };
  await mkdir(dirname(path), { recursive: true });
  await acquire(path, owner, options);
  using alarm = options.clock.alarm(SIGN_OF_LIFE_MS, () => {
    touch(path);
    alarm.reset();
  });
  try {
    return await work();
  } finally {
    if ((await readOwner(path))?.id === owner.id) await rm(path, { force: true });
  }
}

async function acquire(path: string, owner: Owner, { clock, signal, onWait }: LockOptions) {
  let seen = { sign: "", at: clock.now() };
  let hasWaited = false;
  while (!(await created(path, owner))) {
    signal.throwIfAborted();
    const sign = await signOfLife(path);
    if (sign !== seen.sign) seen = { sign, at: clock.now() };
    const holder = await readOwner(path);
    const isStale = clock.now() - seen.at > GIVEN_UP_MS || (holder !== undefined && isDead(holder));
    if (isStale) {
      await takeAway(path, holder, owner);
      continue;
    }
    if (!hasWaited) onWait();
    hasWaited = true;
    await clock.wait(LOOK_AGAIN_MS, signal);
  }
}

async function created(path: string, owner: Owner): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(owner), { flag: "wx" });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Removes a dead owner's lock; one that a living process has made meanwhile is put back. */
async function takeAway(path: string, dead: Owner | undefined, taker: Owner): Promise<void> {
  const taken = `${path}.${taker.id}`;
  await rename(path, taken).catch(() => {}); // another process was quicker
  const owner = await readOwner(taken);
  if (owner !== undefined && owner.id !== dead?.id) await created(path, owner);
  await rm(taken, { force: true });
}

function touch(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // taken over by another process: the work is right all the same
  }
}

/** Undefined where there is no lock, or its owner is just writing it. */
async function readOwner(path: string): Promise<Owner | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  return Owner.safeParse(jsonOf(text)).data;
}

async function signOfLife(path: string): Promise<string> {
  const stats = await stat(path).catch(() => undefined);
  return stats === undefined ? "" : `${stats.ino} ${stats.mtimeMs}`;
}

function isDead({ pid, host }: Owner): boolean {
  return host === hostname() && !isAlive(pid);
}
