import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SMALL } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { DataError, UserError } from "../../engine/errors.ts";
import { normal, Rng } from "../../engine/random.ts";
import { ModelFolder, type Part } from "../../eve/model/model-folder.ts";
import { withAblation, type AblationName } from "../../presets/ablations.ts";
import { tiny } from "../../presets/tiny.ts";
import type { TrainConfig } from "../../training/config.ts";
import { resolveConfig, stageEntry } from "../../training/stage.ts";
import { reportAblations } from "./ablation-report.ts";
import {
  finishedRuns,
  isMeasured,
  isTrained,
  modelIdentity,
  runFolder,
  trainingOf,
  writeResults,
  type RunHeader,
} from "./ablation-results.ts";

const root = temporaryFolder();
let folders = 0;
const evaluate = ["--split", "validation", "--count", "1"];

function header(
  name: AblationName,
  seed: number | null,
  changes: Partial<TrainConfig> = {},
): RunHeader {
  const entry = stageEntry(tiny, "distillation");
  const config =
    seed === null ? null : { ...resolveConfig(withAblation(entry, name)), seed, ...changes };
  const training = config && { steps: config.steps, frozenHash: "f", config };
  return { type: "ablation-run", name, seed, model: "m", evaluate, training };
}

/** Writes the results of a run in which the first so many of sixteen clips succeed. */
function measured(out: string, own: RunHeader, successes: number): void {
  const folder = runFolder(out, own.name, own.seed);
  mkdirSync(folder, { recursive: true });
  const clips = Array.from({ length: 16 }, (_, index) => ({
    type: "clip-scored",
    method: own.seed === null ? "stacked" : "aligned",
    task: "style",
    index,
    success: index < successes,
    steady: false,
    edited: true,
    kept: true,
    flicker: 0.02,
    psnr: 20,
    psnrChanged: 15,
    psnrKept: 30,
  }));
  const events = [{ type: "progress" }, ...clips, { type: "world-evaluation" }];
  writeResults(folder, own, events.map((event) => JSON.stringify(event)).join("\n"));
}

const folder = (): string => join(root, String(folders++));

describe("the runs of a folder", () => {
  test("are set in tables whoever made them, beside the paper and the order it leads to expect", () => {
    const out = folder();
    measured(out, header("no-critics", 2), 2);
    measured(out, header("no-critics", 1), 6);
    measured(out, header("no-alignment", null), 4);
    measured(out, header("full", 1), 16);
    expect(finishedRuns(out).map(({ name, seed }) => [name, seed])).toEqual([
      ["full", 1],
      ["no-alignment", null],
      ["no-critics", 1],
      ["no-critics", 2],
    ]);
    const { rows, order, leftOut } = reportAblations(out);
    expect(leftOut).toEqual([]);
    expect(rows.map(({ name, runs, figures }) => [name, runs, figures.success.mean])).toEqual([
      ["full", 1, 1],
      ["no-alignment", 1, 0.25],
      ["no-critics", 2, 0.25],
    ]);
    expect(rows[2]).toMatchObject({
      seeds: [1, 2],
      byRun: { success: { values: [0.375, 0.125] } },
    });
    expect(order.map(({ better, worse, verdict }) => [better, worse, verdict])).toEqual([
      ["full", "no-critics", "holds"],
      ["full", "no-alignment", "holds"],
      ["no-critics", "no-alignment", "not told apart"],
    ]);
    const text = readFileSync(join(out, "ablations.md"), "utf8");
    expect(text).toMatch(/^\| ablation \| noise \| runs .* \| paper: EVE preferred % \|$/m);
    expect(text).toMatch(/^\| w\/o discriminators \| independent \| 2 \|.* \| 80\.8 \|$/m);
    expect(text).toMatch(
      /^\| EVE > w\/o discriminators \| independent \| 16 \|.* \| holds \| [a-z –]+ \|$/m,
    );
    const json: unknown = JSON.parse(readFileSync(join(out, "ablations.json"), "utf8"));
    expect(json).toEqual({ rows, order, leftOut });
  });

  test("stand in one table only where they differ in ablation and seed alone", () => {
    const out = folder();
    measured(out, header("full", 1), 16);
    measured(out, header("full", 2, { learningRate: 0.5 }), 16);
    const steps = header("no-sds", 1);
    measured(out, { ...steps, training: { ...steps.training!, steps: 7 } }, 16);
    measured(out, { ...header("no-k-bin", 1), evaluate: ["--split", "test"] }, 16);
    measured(out, { ...header("no-alignment", null), model: "another" }, 16);
    measured(out, header("no-critics", 3, { threads: 7 }), 16);
    const { rows, leftOut } = reportAblations(out);
    expect(rows.map(({ name }) => name)).toEqual(["full", "no-critics"]);
    const why = Object.fromEntries(
      leftOut.map((one) => [one.folder.slice(out.length + 1), one.why]),
    );
    expect(why).toEqual({
      "full-2": expect.stringMatching(/^learningRate [\d.e-]+ became 0.5$/),
      "no-sds-1": expect.stringMatching(/^it was distilled for 7 steps, others for \d+$/),
      "no-k-bin-1": "it was measured with --split test, others with --split validation --count 1",
      "no-alignment": "its model has other weights or is sampled otherwise",
    });
  });

  test("are none in an empty folder, and damaged results are named", () => {
    expect(() => reportAblations(folder())).toThrow(UserError);
    const out = folder();
    const run = runFolder(out, "full", 1);
    mkdirSync(run, { recursive: true });
    expect(() => writeResults(run, header("full", 1), '{"type":"clip-scored"}')).toThrow(DataError);
    expect(finishedRuns(out)).toEqual([]);
    writeFileSync(join(run, "receipt.json"), '{"steps": 3');
    expect(() => trainingOf(run)).toThrow(/expected the receipt of a run in .*receipt\.json/);
    writeFileSync(join(run, "evaluation.jsonl"), `${JSON.stringify(header("full", 1))}\n{"type"`);
    expect(() => finishedRuns(out)).toThrow(/evaluation\.jsonl: delete the file/);
  });
});

test("a run is done again where its budget, its measuring or its model changed, and not where only threads did", () => {
  const out = folder();
  const own = header("full", 1);
  measured(out, own, 16);
  const run = runFolder(out, "full", 1);
  expect(isMeasured(run, own)).toBe(true);
  expect(isMeasured(run, header("full", 1, { threads: 7 }))).toBe(true);
  expect(isMeasured(run, header("full", 1, { learningRate: 0.5 }))).toBe(false);
  expect(isMeasured(run, { ...own, model: "another" })).toBe(false);
  expect(isMeasured(run, { ...own, evaluate: ["--split", "test"] })).toBe(false);
  const { config } = own.training!;
  expect(isTrained(own.training, { ...config, threads: 7 })).toBe(true);
  expect(isTrained(own.training, { ...config, steps: config.steps + 1 })).toBe(false);
  expect(isTrained(own.training, { ...config, seed: 2 })).toBe(false);
  expect(isTrained(null, config)).toBe(false);
});

test("a run is measured again where the model has new gates, is sampled otherwise or has another config, and not for another alignment", () => {
  const model = new ModelFolder(folder());
  const save = (part: Part, seed: number, config = {}): void =>
    model.savePart(part, { config, weights: new Map([["w", normal(Rng.seed(seed), [2])]]) });
  const describeAs = (description: object): void =>
    writeFileSync(join(model.path, "model.json"), JSON.stringify(description));
  save("backbone", 1);
  describeAs(SMALL);
  const changes = [
    () => save("detail-gates", 1),
    () => save("detail-gates", 2),
    () => describeAs({ ...SMALL, sampling: { times: [999, 500], temperature: 0 } }),
    () => save("backbone", 1, { width: 4 }),
  ];
  const identities = [modelIdentity(model.path)];
  for (const change of changes) {
    change();
    identities.push(modelIdentity(model.path));
  }
  expect(new Set(identities).size).toBe(5);
  save("alignment", 1);
  expect(modelIdentity(model.path)).toBe(identities.at(-1));
  const out = folder();
  measured(out, { ...header("full", 1), model: identities[0]! }, 16);
  const isKept = identities.map((identity) =>
    isMeasured(runFolder(out, "full", 1), { ...header("full", 1), model: identity }),
  );
  expect(isKept).toEqual([true, false, false, false, false]);
});
