import { join } from "node:path";
import { UserError } from "../../engine/errors.ts";
import { replaceFile } from "../../engine/replace-file.ts";
import {
  orderFindings,
  orderTable,
  type OrderFinding,
} from "../../evaluation/ablations/ablation-order.ts";
import {
  ablationRows,
  ablationTable,
  type AblationRow,
} from "../../evaluation/ablations/ablation-table.ts";
import { ABLATION_NAMES, ABLATIONS, EXPECTED_ORDER } from "../../presets/ablations.ts";
import { table, type Reporter } from "../output.ts";
import { comparable, finishedRuns, type FinishedRun, type LeftOutRun } from "./ablation-results.ts";

/** What all finished runs of a folder come to. */
export interface AblationReport {
  readonly rows: readonly AblationRow[];
  readonly order: readonly OrderFinding[];
  /** Runs that were distilled or measured otherwise. */
  readonly leftOut: readonly LeftOutRun[];
}

/**
 * Sets the finished runs of `out` in tables: `ablations.md` and `ablations.json` there.
 *
 * `reference` is the folder of a run that the others must equal in all but ablation and seed; by default the first there is.
 */
export function reportAblations(out: string, reference?: string): AblationReport {
  const runs = finishedRuns(out);
  const first = runs.find(({ folder }) => folder === reference) ?? runs[0];
  if (first === undefined)
    throw new UserError(
      `expected finished runs of "./eve ablate" in ${out}, found none: run it without --table first`,
    );
  const { kept, leftOut } = comparable(runs, first);
  const byName = Map.groupBy<string, FinishedRun>(kept, ({ name }) => name);
  const rows = ABLATION_NAMES.flatMap((name) =>
    ablationRows({ name, title: ABLATIONS[name].title }, byName.get(name) ?? []),
  );
  const report = { rows, order: orderFindings(EXPECTED_ORDER, byName), leftOut };
  const tables = ablationTables(report).map(markdown);
  replaceFile(join(out, "ablations.md"), tables.join("\n"));
  replaceFile(join(out, "ablations.json"), `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

/** The rows, with what the paper's Table 2 says of each, and how those pairs of the order that were run came out. */
function ablationTables({ rows, order }: AblationReport): string[][][] {
  const known = new Map<string, (typeof ABLATIONS)[keyof typeof ABLATIONS]>(
    Object.entries(ABLATIONS),
  );
  const table2 = ablationTable(rows, (name) => known.get(name)?.paper ?? null);
  if (order.length === 0) return [table2];
  return [table2, orderTable(order, (name) => known.get(name)?.title ?? name)];
}

/** Prints the tables, and which runs stand in none. */
export function tellAblations(found: AblationReport, report: Reporter): void {
  for (const { folder, why } of found.leftOut)
    report.warn(`${folder} stands in no table with the others: ${why}`);
  const text = ablationTables(found).map((rows) => table(rows));
  report.event({ type: "ablations", ...found }, text.join("\n\n"));
}

function markdown([head = [], ...body]: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...body].map((cells) => `| ${cells.join(" | ")} |`);
  return `${lines.join("\n")}\n`;
}
