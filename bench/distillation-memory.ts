// Peak memory of one iteration of distillation, by part: ./eve distill --dry-run with a part of the loss at a time.
//
//   node bench/distillation-memory.ts [--model models/tiny] [--batch 4] [--precision float32]
//
// Growth is what the process's peak rises by during the steps, everything loaded before. Each row is a process of
// its own, for a peak never falls.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { byteSize } from "../src/engine/byte-size.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "models/tiny" },
    batch: { type: "string", default: "4" },
    precision: { type: "string", default: "bfloat16" },
    cache: { type: "string", default: "runs/cache" },
  },
});

const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const base = [
  `stage.model=${values.model}`,
  `stage.cache=${values.cache}`,
  `batch=${values.batch}`,
  `precision=${values.precision}`,
  "stage.items=8",
  "stage.held=1",
  "stage.adversarialFrom=0",
  "stage.watchEvery=0",
];

const rows: readonly (readonly [string, readonly string[]])[] = [
  ["student and edit teacher's score", ['stage.terms=["sdsEdit"]']],
  ["student and video teacher's score", ['stage.terms=["sdsVideo"]']],
  ["student and both scores", ['stage.terms=["sdsEdit","sdsVideo"]']],
  ["the same in 1 step instead of 3", ['stage.terms=["sdsEdit","sdsVideo"]', "stage.kBin.bins=1"]],
  ["the same in 6 steps", ['stage.terms=["sdsEdit","sdsVideo"]', "stage.kBin.bins=6"]],
  ["student and edit critic", ['stage.terms=["genEdit"]']],
  ["student and video critic", ['stage.terms=["genVideo"]']],
  ["everything", []],
  ["everything, one clip at a time", [`accumulate=${values.batch}`]],
];

function measured([name, settings]: (typeof rows)[number]): string {
  const sets = [...base, ...settings].flatMap((setting) => ["--set", setting]);
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [main, "distill", "--dry-run", "--json", ...sets],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(stderr);
  const { stepBytes, secondsPerStep } = JSON.parse(stdout.trim().split("\n").at(-1)!);
  const figures = [byteSize(stepBytes).padStart(8), `${Number(secondsPerStep).toFixed(2)} s`];
  return [`  ${name.padEnd(36)}`, ...figures].join("  ");
}

console.log(`${values.batch} clips of 8 frames, ${values.precision}: growth, seconds a step`);
measured(["inputs and what the teachers draw of them", []]); // they are cached: no row pays for them
for (const row of rows) console.log(measured(row));
