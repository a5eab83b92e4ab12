import { spawnSync, type SpawnSyncReturns } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { claimLock } from "../../src/engine/lock.ts";
import { saveSmallModel } from "../support/small-model.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const root = temporaryFolder();
const model = saveSmallModel(join(root, "model")).path;
const out = join(root, "ablations");

function ablate(...options: readonly string[]): { last: string; stderr: string } {
  const { stdout, stderr, status } = ablation(...options);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return { last: stdout.trim().split("\n").at(-1)!, stderr: `${stdout}${stderr}` };
}

function ablation(...options: readonly string[]): SpawnSyncReturns<string> {
  const settings = ["batch=1", "threads=1", "precision=float32", "stage.items=2", "stage.held=1"];
  const own = [`stage.cache=${join(root, "cache")}`, "stage.alignment.rank=2"];
  return spawnSync(
    process.execPath,
    [
      main,
      "ablate",
      ...`--model ${model} --out ${out}`.split(" "),
      ..."--steps 1 --count 1 --draw-steps 1 --json".split(" "),
      ...options,
      ...[...settings, ...own].flatMap((setting) => ["--set", setting]),
    ],
    { encoding: "utf8" },
  );
}

const rowsOf = (line: string): unknown[] =>
  JSON.parse(line).rows.map(({ name, noise, seeds, clips }: Record<string, unknown>) => [
    name,
    noise,
    seeds,
    clips,
  ]);

test("ablations are distilled with every seed, measured and set in a table; what is done is not done again", () => {
  const part = ablate("--rows", "no-critics,no-alignment", "--seeds", "2");
  expect(rowsOf(part.last)).toEqual([
    ["no-alignment", "independent", [null], 7],
    ["no-alignment", "shared", [null], 7],
    ["no-critics", "independent", [2], 7],
    ["no-critics", "shared", [2], 7],
  ]);
  expect(part.stderr).toContain('"phase":"no-critics, seed 2: whole clips"');
  const evaluation = join(out, "no-critics-2", "evaluation.jsonl");
  const made = statSync(evaluation).mtimeMs;
  const receipt = statSync(join(out, "no-critics-2", "receipt.json")).mtimeMs;
  // Whoever holds the lock is at work there: this test
  using _ = claimed("no-critics-2");
  const whole = ablate("--rows", "no-critics", "--seeds", "1,2");
  expect(whole.stderr).toContain("left to another process");
  expect(rowsOf(whole.last)).toEqual([
    ["no-alignment", "independent", [null], 7],
    ["no-alignment", "shared", [null], 7],
    ["no-critics", "independent", [1, 2], 7],
    ["no-critics", "shared", [1, 2], 7],
  ]);
  expect(ablate("--table").last).toBe(whole.last);
  expect(readFileSync(join(out, "ablations.md"), "utf8")).toMatch(/\| w\/o discriminators \|/);
  expect(statSync(evaluation).mtimeMs).toBe(made);
  expect(statSync(join(out, "no-critics-2", "receipt.json")).mtimeMs).toBe(receipt);
}, 120_000);

function claimed(run: string): Disposable {
  return claimLock(join(out, run, "ablation.lock"), "at work");
}

test("a run of another number of steps is not continued to this one", () => {
  const receipt = statSync(join(out, "no-critics-1", "receipt.json")).mtimeMs;
  const { status, stdout, stderr } = ablation(
    "--rows",
    "no-critics",
    "--seeds",
    "1",
    "--steps",
    "2",
  );
  expect(status).not.toBe(0);
  expect(`${stdout}${stderr}`).toMatch(/a run of 2 steps.*it holds one of 1: choose another --out/);
  expect(statSync(join(out, "no-critics-1", "receipt.json")).mtimeMs).toBe(receipt);
}, 60_000);

test("a finished run is not opened again", () => {
  const receipt = statSync(join(out, "no-critics-1", "receipt.json")).mtimeMs;
  ablate("--rows", "no-critics", "--seeds", "1");
  expect(statSync(join(out, "no-critics-1", "receipt.json")).mtimeMs).toBe(receipt);
}, 60_000);
