import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { defineCommand } from "citty";
import { DataError, UserError } from "../../engine/errors.ts";
import { isRecord, jsonOf } from "../../engine/json.ts";
import { deviceArg, deviceFrom } from "../device-option.ts";
import { jobsArg, jobsAsked } from "../jobs-option.ts";
import { loraArg, loraStrengthArg, lorasFrom, loraStrengthFrom } from "../lora-options.ts";
import { duration, Reporter, table } from "../output.ts";
import type { VerbContext } from "../verb.ts";
import type { BatchOutcome } from "./batch-outcome.ts";

export default defineCommand({
  meta: {
    name: "batch",
    description:
      "Do many edits, one JSON object a line; the same command again does what is missing",
  },
  args: {
    edits: {
      type: "positional",
      required: true,
      description: 'a file with lines such as {"input": "a.mp4", "instruction": "make it snow"}',
    },
    out: {
      type: "string",
      required: true,
      valueHint: "dir",
      description: "folder for the results",
    },
    model: {
      type: "string",
      valueHint: "dir",
      description: "model folder, or open: the public weights (default: models/tiny)",
    },
    lora: loraArg,
    "lora-strength": loraStrengthArg,
    device: deviceArg,
    jobs: jobsArg,
    json: {
      type: "boolean",
      description: "print one JSON object per event; the last is the summary",
    },
  },
  async run({ args: given, rawArgs, data }) {
    const { signal }: VerbContext = data;
    const report = new Reporter(given);
    const jobs = jobsAsked(given.jobs);
    const { readBatch } = await import("./batch-lines.ts");
    const lines = await readBatch(given.edits, given.out);
    requireOwnSummary(join(given.out, SUMMARY));
    const choice = {
      model: given.model,
      loras: lorasFrom(rawArgs),
      loraStrength: loraStrengthFrom(given["lora-strength"]),
      device: deviceFrom(given.device),
    };
    const { openBatchEditors } = await import("./batch-editors.ts");
    const readable = lines.filter(({ isReadable }) => isReadable).length;
    await using editors = await openBatchEditors(choice, { readable, jobs, signal, report });
    await mkdir(given.out, { recursive: true });
    const outcomes: BatchOutcome[] = [];
    const { runBatch } = await import("./batch-run.ts");
    await runBatch(lines, editors.all, { signal, report }, async (outcome) => {
      outcomes.push(outcome);
      outcomes.sort((one, other) => one.line - other.line);
      report.event({ type: "line", ...outcome }, lineText(outcome));
      await writeSummary(given.out, outcomes);
    });
    report.event({ type: "batch", outcomes }, summaryTable(outcomes));
    const failed = outcomes.filter(({ status }) => status === "failed").length;
    if (failed === 0) return;
    throw new DataError(`${failed} of ${lines.length} edits failed: the table says why`);
  },
});

const SUMMARY = "summary.json";

/** Throws a UserError where the folder has a file of that name which no batch has written. */
function requireOwnSummary(path: string): void {
  if (!existsSync(path)) return;
  const found = jsonOf(readFileSync(path, "utf8"));
  if (isRecord(found) && Array.isArray(found["outcomes"])) return;
  throw new UserError(
    `${path} exists and is no summary of a batch: give another --out, or move it away`,
  );
}

async function writeSummary(folder: string, outcomes: readonly BatchOutcome[]): Promise<void> {
  const { writeAtomically } = await import("../../data/output-file.ts");
  await writeAtomically(join(folder, SUMMARY), (temporary) =>
    writeFile(temporary, `${JSON.stringify({ outcomes }, null, 2)}\n`),
  );
}

function lineText({ line, status, output, problem }: BatchOutcome): string {
  return `line ${line} ${status}: ${problem ?? output ?? ""}`;
}

/** All lines as a table: what became of each, how long it took, how much changed. */
export function summaryTable(outcomes: readonly BatchOutcome[]): string {
  const rows = outcomes.map(({ line, status, output = "", seconds, changes, problem }) => [
    String(line),
    status,
    seconds === undefined ? "" : duration(seconds),
    changes === undefined ? "" : `${(100 * changes.changedShare).toFixed(1)} %`,
    problem ?? output,
  ]);
  return table([["line", "status", "time", "changed", "output"], ...rows]);
}
