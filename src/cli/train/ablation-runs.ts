import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../engine/errors.ts";
import { claimLock } from "../../engine/lock.ts";
import { ABLATIONS, withAblation, type AblationName } from "../../presets/ablations.ts";
import { tiny } from "../../presets/tiny.ts";
import { stepsAskedOf } from "../../training/run-config.ts";
import { stageEntry } from "../../training/stage.ts";
import type { Reporter } from "../output.ts";
import { reportAblations, tellAblations, type AblationReport } from "./ablation-report.ts";
import {
  isMeasured,
  isTrained,
  modelIdentity,
  runFolder,
  trainingOf,
  writeResults,
  type RunHeader,
} from "./ablation-results.ts";
import { overriddenConfig, type Override } from "./overrides.ts";
import { ownCommand, tellingProgress } from "./own-command.ts";

/** What is run: some ablations with some seeds, distilled and measured alike. */
export interface AblationPlan {
  readonly names: readonly AblationName[];
  readonly seeds: readonly number[];
  readonly model: string;
  readonly out: string;
  /** Settings of the distillation for all runs: the budget. */
  readonly settings: readonly Override[];
  /** Options of `eve evaluate world` for all runs. */
  readonly evaluate: readonly string[];
}

/** Who watches. */
interface Watch {
  readonly report: Reporter;
  readonly signal: AbortSignal;
}

/**
 * Runs what is missing of a plan, one seed of all rows after the other, and sets all finished runs of its folder in tables.
 *
 * Each piece is a command of its own (`distill`, `export`, `evaluate world`) in a process of its own: what a user
 * would type, memory that is given back, and nothing is done twice where a piece is finished. A run that another
 * process is at is left to it.
 */
export async function runAblations(plan: AblationPlan, { report, signal }: Watch): Promise<void> {
  const runs = runsOf(plan);
  let last: AblationReport | undefined;
  for (const [index, { name, seed }] of runs.entries()) {
    const folder = runFolder(plan.out, name, seed);
    report.progress({
      type: "progress",
      phase: titleOf({ name, seed }),
      step: index + 1,
      steps: runs.length,
    });
    mkdirSync(folder, { recursive: true });
    using lock = claimed(folder, report);
    if (lock === undefined) continue;
    report.end();
    await finish({ plan, name, seed, folder, report, signal });
    last = reportAblations(plan.out, folder);
  }
  tellAblations(last ?? reportAblations(plan.out), report);
}

/** One run of a plan, and who watches. */
interface Piece extends Watch {
  readonly plan: AblationPlan;
  readonly name: AblationName;
  /** Null where nothing is trained. */
  readonly seed: number | null;
  readonly folder: string;
}

function titleOf({ name, seed }: Pick<Piece, "name" | "seed">): string {
  return seed === null ? name : `${name}, seed ${seed}`;
}

function runsOf({ names, seeds }: AblationPlan): Pick<Piece, "name" | "seed">[] {
  const once = names.filter((name) => ABLATIONS[name].changes === null);
  const trained = names.filter((name) => ABLATIONS[name].changes !== null);
  return [
    ...once.map((name) => ({ name, seed: null })),
    ...seeds.flatMap((seed) => trained.map((name) => ({ name, seed }))),
  ];
}

/** The right to a run; nothing where another process has it. */
function claimed(folder: string, report: Reporter): Disposable | undefined {
  try {
    // A training outlives its "eve ablate" where that was killed
    claimLock(join(folder, "run.lock"))[Symbol.dispose]();
    return claimLock(join(folder, "ablation.lock"), "at work");
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    report.warn(`left to another process: ${error.message}`);
    return undefined;
  }
}

/** Distils, exports and measures a run, as far as that is not done. */
async function finish(piece: Piece): Promise<void> {
  const { plan, name, seed, folder, signal } = piece;
  if (seed === null) {
    if (!isMeasured(folder, headerOf(piece)))
      await measure(piece, ["--methods", "stacked,stacked-shared"]);
    return;
  }
  const { model } = plan;
  const own = [
    ...plan.settings,
    { path: "seed", text: String(seed) },
    { path: "stage.model", text: model },
  ];
  const config = overriddenConfig(withAblation(stageEntry(tiny, "distillation"), name), own);
  if (isTrained(trainingOf(folder), config) && isMeasured(folder, headerOf(piece))) return;
  requireSameSteps(folder, config.steps);
  const settings = own.flatMap(({ path, text }) => ["--set", `${path}=${text}`]);
  await ownCommand(["distill", "--out", folder, "--ablation", name, ...settings], { signal });
  const alignment = ["--alignment", join(folder, "alignment")];
  const target = ["--run", folder, "--model", model, ...alignment];
  await ownCommand(["export", "distillation", ...target], { signal });
  if (!isMeasured(folder, headerOf(piece)))
    await measure(piece, ["--methods", "aligned,aligned-shared", ...alignment]);
}

/** Rates and phases go by the number of steps: a run that is continued with another is not one of that budget. */
function requireSameSteps(folder: string, steps: number): void {
  const before = stepsAskedOf(folder);
  if (before === undefined || before === steps) return;
  throw new UserError(
    `expected ${folder} to hold a run of ${steps} steps, like the others of this command, it holds one of ${before}: choose another --out, or delete it`,
  );
}

async function measure(piece: Piece, methods: readonly string[]): Promise<void> {
  const { plan, folder, report, signal } = piece;
  const command = ["evaluate", "world", "--model", plan.model, "--only", "clips", "--json"];
  const onLine = tellingProgress(titleOf(piece), report);
  const asked = [...command, ...methods, ...plan.evaluate];
  const printed = await ownCommand(asked, { signal, onLine });
  report.end();
  writeResults(folder, headerOf(piece), printed);
}

function headerOf({ plan, name, seed, folder }: Piece): RunHeader {
  return {
    type: "ablation-run",
    name,
    seed,
    model: modelIdentity(plan.model),
    evaluate: [...plan.evaluate],
    training: seed === null ? null : trainingOf(folder),
  };
}
