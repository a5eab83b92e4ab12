import { existsSync } from "node:fs";
import { readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { InstantClock } from "../../test/support/hub-client.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { withLock } from "./lock.ts";

const folder = temporaryFolder();
const { signal } = new AbortController();
const never = () => expect.unreachable("there is nobody to wait for");

test("a lock names its owner while work is done, and is gone afterwards, after a failure too", async () => {
  const path = join(folder, "deep/er/a.lock");
  const options = { clock: new InstantClock(), signal, onWait: never };
  const owner = await withLock(path, options, async () => JSON.parse(await readFile(path, "utf8")));
  expect(owner).toMatchObject({ pid: process.pid });
  expect(existsSync(path)).toBe(false);
  await expect(withLock(path, options, () => Promise.reject(new Error("no")))).rejects.toThrow(
    "no",
  );
  expect(existsSync(path)).toBe(false);
});

test("a lock shows a sign of life whenever its timer rings", async () => {
  const path = join(folder, "b.lock");
  const clock = new InstantClock();
  await withLock(path, { clock, signal, onWait: never }, async () => {
    await utimes(path, 1, 1);
    clock.ring();
    expect((await stat(path)).mtimeMs).toBeGreaterThan(1e12);
  });
});

test("a lock that another has taken over meanwhile is left to that one", async () => {
  const path = join(folder, "c.lock");
  const theirs = JSON.stringify({ pid: 1, host: "elsewhere", id: "theirs" });
  await withLock(path, { clock: new InstantClock(), signal, onWait: never }, () =>
    writeFile(path, theirs),
  );
  expect(await readFile(path, "utf8")).toBe(theirs);
});

test("a lock of another machine is respected as long as it is touched, whatever runs here", async () => {
  const path = join(folder, "d.lock");
  const dead = 2 ** 22 + 1;
  await writeFile(path, JSON.stringify({ pid: dead, host: "elsewhere", id: "theirs" }));
  const clock = new InstantClock();
  clock.step = 7000; // every look at the clock is seven seconds later
  const wait = clock.wait.bind(clock);
  clock.wait = async (milliseconds, stop) => {
    await wait(milliseconds, stop);
    const looks = clock.waits.length;
    await (looks < 30 ? utimes(path, looks, looks) : rm(path));
  };
  let told = 0;
  const options = { clock, signal, onWait: () => void told++ };
  await withLock(path, options, async () => expect(clock.waits).toHaveLength(30));
  expect(told).toBe(1);
});
