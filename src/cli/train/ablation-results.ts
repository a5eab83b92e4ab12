import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DataError } from "../../engine/errors.ts";
import { jsonOf } from "../../engine/json.ts";
import { replaceFile } from "../../engine/replace-file.ts";
import { EDITING_PARTS, ModelFolder } from "../../eve/model/model-folder.ts";
import type { AblationRun } from "../../evaluation/ablations/ablation-table.ts";
import { ScoredClip } from "../../evaluation/statistics/scored-clip.ts";
import { ABLATION_NAMES, ABLATIONS, type AblationName } from "../../presets/ablations.ts";
import { AskedSteps, configHash, decisiveDifferences, TrainConfig } from "../../training/config.ts";

/** What of a run's receipt decides its weights. */
const Training = z.object({
  steps: z.int(),
  /** Where a run was continued with another number of steps. */
  asked: z.array(AskedSteps).optional(),
  frozenHash: z.string(),
  config: TrainConfig,
});

/** What a run is, and how it was measured: the first line of its results. */
export const RunHeader = z.object({
  type: z.literal("ablation-run"),
  name: z.enum(ABLATION_NAMES),
  seed: z.int().nullable(),
  /** `modelIdentity` of the model whose adapters are aligned. */
  model: z.string(),
  /** The options of `eve evaluate world` that decide what is measured. */
  evaluate: z.array(z.string()),
  /** Null where nothing was trained. */
  training: Training.nullable(),
});
export type RunHeader = z.infer<typeof RunHeader>;

/** A run that is distilled and measured. */
export interface FinishedRun extends AblationRun {
  readonly name: AblationName;
  readonly folder: string;
  readonly header: RunHeader;
}

/** SHA-256 over all of a model that decides how its edits are measured: `model.json`, and its parts but for the alignment, which is a run's own. */
export function modelIdentity(path: string): string {
  const folder = new ModelFolder(path);
  return folder.identity(EDITING_PARTS.filter((part) => part !== "alignment" && folder.has(part)));
}

/** The folder of one run of an ablation; one that trains nothing has no seed. */
export function runFolder(out: string, name: AblationName, seed: number | null): string {
  return join(out, seed === null ? name : `${name}-${seed}`);
}

/** What of a run's receipt decides its weights; null where there is none. */
export function trainingOf(folder: string): RunHeader["training"] {
  const path = join(folder, "receipt.json");
  if (!existsSync(path)) return null;
  const training = Training.safeParse(jsonOf(readFileSync(path, "utf8"))).data;
  if (training !== undefined) return training;
  throw new DataError(
    `expected the receipt of a run in ${path}, got something else: delete the file, and the run is finished again`,
  );
}

/** Whether a run was distilled with these settings, to the end. */
export function isTrained(training: RunHeader["training"], config: TrainConfig): boolean {
  return (
    training !== null &&
    training.steps === config.steps &&
    training.asked === undefined &&
    decisiveDifferences(training.config, config).length === 0
  );
}

/** Whether a run's results are there, and are of the weights and options that `header` tells. */
export function isMeasured(folder: string, header: RunHeader): boolean {
  if (!existsSync(resultsPath(folder))) return false;
  const { header: before } = readRun(folder, readFileSync(resultsPath(folder), "utf8"));
  return (
    before.model === header.model &&
    before.evaluate.join(" ") === header.evaluate.join(" ") &&
    weightsOf(before) === weightsOf(header)
  );
}

/** What the weights of a run depend on. */
function weightsOf({ training }: RunHeader): string {
  if (training === null) return "";
  return [training.steps, training.frozenHash, configHash(training.config)].join(" ");
}

/** Keeps what `eve evaluate world --json` printed of a run; its progress is left out. */
export function writeResults(folder: string, header: RunHeader, printed: string): void {
  const lines = printed.split("\n").filter((line) => !line.startsWith(PROGRESS));
  const text = [JSON.stringify(header), ...lines].join("\n");
  readRun(folder, text);
  replaceFile(resultsPath(folder), text);
}

/** All runs in `out` that are distilled and measured, row by row and seed by seed, whoever made them. */
export function finishedRuns(out: string): FinishedRun[] {
  const folders = existsSync(out) ? readdirSync(out).map((name) => join(out, name)) : [];
  const runs = folders
    .filter((folder) => existsSync(resultsPath(folder)))
    .map((folder) => readRun(folder, readFileSync(resultsPath(folder), "utf8")));
  const place = ({ name }: FinishedRun): number => ABLATION_NAMES.indexOf(name);
  return runs.toSorted((a, b) => place(a) - place(b) || (a.seed ?? 0) - (b.seed ?? 0));
}

function resultsPath(folder: string): string {
  return join(folder, "evaluation.jsonl");
}

/** How lines begin that are of no interest afterwards. */
const PROGRESS = '{"type":"progress"';
const Result = z.looseObject({ type: z.literal("world-evaluation") });

/** The header, the clips, and at the end the result of an evaluation. */
function readRun(folder: string, text: string): FinishedRun {
  const [first, ...events] = text.trim().split("\n").map(jsonOf);
  const header = RunHeader.safeParse(first).data;
  if (header === undefined || !Result.safeParse(events.at(-1)).success) {
    throw new DataError(
      `expected a run's header and the result of its evaluation in ${resultsPath(folder)}: delete the file, and the run is measured again`,
    );
  }
  const clips = events.flatMap((event) => ScoredClip.safeParse(event).data ?? []);
  return { name: header.name, seed: header.seed, folder, header, clips };
}

/** A run that stands in no table with the others. */
export interface LeftOutRun {
  readonly folder: string;
  /** In what it differs besides its ablation and seed. */
  readonly why: string;
}

/** The runs that differ from `reference` in ablation and seed alone, and the others. */
export function comparable(
  runs: readonly FinishedRun[],
  reference: FinishedRun,
): { readonly kept: readonly FinishedRun[]; readonly leftOut: readonly LeftOutRun[] } {
  const judged = runs.map((run) => ({ run, why: difference(run, reference) }));
  return {
    kept: judged.filter(({ why }) => why === undefined).map(({ run }) => run),
    leftOut: judged.flatMap(({ run: { folder }, why }) =>
      why === undefined ? [] : { folder, why },
    ),
  };
}

function difference(run: FinishedRun, reference: FinishedRun): string | undefined {
  const [own, other] = [run.header, reference.header];
  if (own.model !== other.model) return "its model has other weights or is sampled otherwise";
  if (own.evaluate.join(" ") !== other.evaluate.join(" "))
    return `it was measured with ${own.evaluate.join(" ")}, others with ${other.evaluate.join(" ")}`;
  if (own.training === null || other.training === null) return undefined;
  if (own.training.steps !== other.training.steps)
    return `it was distilled for ${own.training.steps} steps, others for ${other.training.steps}`;
  if (own.training.asked !== undefined)
    return "it was continued with another number of steps than it began with";
  const ablated = [run, reference].flatMap(({ name }) =>
    Object.keys(ABLATIONS[name].changes ?? {}).map((key) => `stage.${key}`),
  );
  return decisiveDifferences(other.training.config, own.training.config).find(
    (change) =>
      !change.startsWith("seed ") &&
      !ablated.some((path) => change.startsWith(`${path} `) || change.startsWith(`${path}.`)),
  );
}
