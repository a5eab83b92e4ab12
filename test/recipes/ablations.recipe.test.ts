import { spawnSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { saveSmallModel } from "../support/small-model.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const root = temporaryFolder();
const model = saveSmallModel(join(root, "model")).path;
const out = join(root, "ablations");

function ablate(): string {
  const settings = ["batch=1", "threads=1", "precision=float32", "stage.items=2", "stage.held=1"];
  const own = [`stage.cache=${join(root, "cache")}`, "stage.alignment.rank=2"];
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      main,
      ...`ablate --model ${model} --out ${out} --names no-critics,no-alignment`.split(" "),
      ..."--seeds 2 --steps 1 --count 1 --draw-steps 1 --json".split(" "),
      ...[...settings, ...own].flatMap((setting) => ["--set", setting]),
    ],
    { encoding: "utf8" },
  );
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return stdout.trim().split("\n").at(-1)!;
}

test("ablations are distilled with every seed, measured and set in a table; what is done is not done again", () => {
  const first = ablate();
  const { rows } = JSON.parse(first);
  expect(
    rows.map(({ name, noise, runs, clips }: Record<string, unknown>) => [name, noise, runs, clips]),
  ).toEqual([
    ["no-critics", "independent", 2, 7],
    ["no-critics", "shared", 2, 7],
    ["no-alignment", "independent", 1, 7],
    ["no-alignment", "shared", 1, 7],
  ]);
  expect(readFileSync(join(out, "ablations.md"), "utf8")).toMatch(/\| w\/o discriminators \|/);
  const evaluation = join(out, "no-critics-2", "evaluation.jsonl");
  const made = statSync(evaluation).mtimeMs;
  expect(ablate()).toBe(first);
  expect(statSync(evaluation).mtimeMs).toBe(made);
}, 120_000);
