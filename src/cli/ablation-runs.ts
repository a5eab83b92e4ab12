import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { DataError } from "../engine/errors.ts";
import { ABLATIONS, type AblationName } from "../presets/ablations.ts";
import {
  ablationRows,
  ablationTable,
  ScoredClip,
  type AblationRow,
} from "../evaluation/ablation-table.ts";
import { table, type Reporter } from "./output.ts";

/** What is run: every ablation with every seed, distilled and measured alike. */
export interface AblationPlan {
  readonly names: readonly AblationName[];
  /** Seeds are 1, 2, … up to this. */
  readonly seeds: number;
  readonly model: string;
  readonly out: string;
  /** Options of `eve distill` for all runs: the budget. */
  readonly distill: readonly string[];
  /** Options of `eve evaluate world` for all runs. */
  readonly evaluate: readonly string[];
}

/** Who watches. */
interface Watch {
  readonly report: Reporter;
  readonly signal: AbortSignal;
}

const main = fileURLToPath(new URL("main.ts", import.meta.url));

/**
 * Runs a plan and writes `ablations.json` and `ablations.md` into its folder.
 *
 * Each piece is a command of its own (`distill`, `export`, `evaluate world`) in a process of its own: what a user
 * would type, memory that is given back, and nothing is done twice where a piece is finished.
 */
export async function runAblations(plan: AblationPlan, { report, signal }: Watch): Promise<void> {
  mkdirSync(plan.out, { recursive: true });
  const rows: AblationRow[] = [];
  for (const name of plan.names) {
    const { title, changes } = ABLATIONS[name];
    const measured: ScoredClip[][] = [];
    for (let seed = 1; seed <= (changes === null ? 1 : plan.seeds); seed++) {
      report.progress({ type: "progress", phase: name, step: seed, steps: plan.seeds });
      const folder = join(plan.out, changes === null ? name : `${name}-${seed}`);
      const piece = { plan, folder, signal };
      measured.push(changes === null ? await stacked(piece) : await aligned(piece, name, seed));
    }
    rows.push(...ablationRows({ name, title }, measured));
    writeTable(plan.out, rows);
  }
  report.event({ type: "ablations", rows }, table(ablationTable(rows)));
}

function writeTable(folder: string, rows: readonly AblationRow[]): void {
  const [head = [], ...body] = ablationTable(rows);
  const lines = [head, head.map(() => "---"), ...body].map((cells) => `| ${cells.join(" | ")} |`);
  writeFileSync(join(folder, "ablations.md"), `${lines.join("\n")}\n`);
  writeFileSync(join(folder, "ablations.json"), `${JSON.stringify(rows, null, 2)}\n`);
}

/** One run in its folder. */
interface Piece {
  readonly plan: AblationPlan;
  readonly folder: string;
  readonly signal: AbortSignal;
}

async function aligned(
  { plan, folder, signal }: Piece,
  name: string,
  seed: number,
): Promise<ScoredClip[]> {
  const alignment = join(folder, "alignment");
  const own = ["--ablation", name, "--set", `seed=${seed}`, "--set", `stage.model=${plan.model}`];
  await eve(["distill", "--out", folder, ...own, ...plan.distill], signal);
  await eve(
    ["export", "distillation", "--run", folder, "--model", plan.model, "--alignment", alignment],
    signal,
  );
  const methods = ["--methods", "aligned,aligned-shared", "--alignment", alignment];
  return await evaluated({ plan, folder, signal }, methods);
}

async function stacked(piece: Piece): Promise<ScoredClip[]> {
  mkdirSync(piece.folder, { recursive: true });
  return await evaluated(piece, ["--methods", "stacked,stacked-shared"]);
}

/** The result of an evaluation; one that was made with the same command, and of the same run, is read again. */
async function evaluated(
  { plan, folder, signal }: Piece,
  methods: readonly string[],
): Promise<ScoredClip[]> {
  const path = join(folder, "evaluation.jsonl");
  const command = ["evaluate", "world", "--model", plan.model, "--only", "clips", "--json"];
  const whole = [...command, ...methods, ...plan.evaluate];
  const receipt = join(folder, "receipt.json");
  const made = JSON.stringify([whole, existsSync(receipt) ? readFileSync(receipt, "utf8") : null]);
  const before = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (before.startsWith(`${made}\n`)) return readClips(before, path);
  const lines = (await eve(whole, signal)).split("\n");
  const text = [made, ...lines.filter((line) => !line.startsWith(PROGRESS))].join("\n");
  const found = readClips(text, path);
  writeFileSync(path, text);
  return found;
}

/** How lines begin that are of no interest afterwards. */
const PROGRESS = '{"type":"progress"';

/** The clips among the lines of `evaluate world --json`; the last line must be the result. */
function readClips(text: string, path: string): ScoredClip[] {
  const events = text
    .trim()
    .split("\n")
    .map((line): unknown => JSON.parse(line));
  if (!Result.safeParse(events.at(-1)).success)
    throw new DataError(`expected the result of an evaluation at the end of ${path}, found none`);
  return events.flatMap((event) => ScoredClip.safeParse(event).data ?? []);
}

const Result = z.looseObject({ type: z.literal("world-evaluation") });

/** Runs another command of this program; gives back what it prints. What it says of its progress goes through. */
function eve(args: readonly string[], signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const pieces: Buffer[] = [];
  child.stdout.on("data", (piece: Buffer) => pieces.push(piece));
  const stop = (): void => void child.kill("SIGINT");
  signal.addEventListener("abort", stop);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) reject(signal.reason);
      else if (code === 0) resolve(Buffer.concat(pieces).toString("utf8"));
      else
        reject(new DataError(`eve ${args.slice(0, 2).join(" ")} failed: its message stands above`));
    });
  });
}
