import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { claimLock } from "./lock.ts";

function lockPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "lock-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, "run.lock");
}

test("a second claim is refused until the first is released", () => {
  const path = lockPath();
  const lock = claimLock(path);
  expect(() => claimLock(path)).toThrow(`process ${process.pid} is training in this directory`);
  lock[Symbol.dispose]();
  expect(existsSync(path)).toBe(false);
  claimLock(path)[Symbol.dispose]();
});

test.each(["4194999 1", `${process.pid} 1`, "", "no lock"])(
  "a lock left behind as %j is taken over",
  (content) => {
    const path = lockPath();
    writeFileSync(path, content);
    using _ = claimLock(path);
    expect(() => claimLock(path)).toThrow("is training");
  },
);
