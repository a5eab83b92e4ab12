import { spawnSync } from "node:child_process";
import { openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

test.runIf(process.platform === "linux")("a stdout that is full is told in one sentence", () => {
  const stdout = openSync("/dev/full", "w");
  const { status, stderr } = spawnSync(process.execPath, [main, "--version"], {
    stdio: ["ignore", stdout, "pipe"],
    encoding: "utf8",
  });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^eve: stdout cannot be written to \(no space is left there\)[^\n]*\n$/);
});
