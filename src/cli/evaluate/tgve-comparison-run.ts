import { readFile } from "node:fs/promises";
import { UserError } from "../../engine/errors.ts";
import { jsonOf } from "../../engine/json.ts";
import { EditLine } from "../../evaluation/tgve/kept-scores.ts";
import { compareTgve } from "../../evaluation/tgve/tgve-comparison.ts";
import { tgveTable } from "../../evaluation/tgve/tgve-table.ts";
import { table, type Reporter } from "../output.ts";

/** The edits of TGVE in a file that `eve evaluate tgve` has printed or kept; none where it holds something else. */
export async function tgveEditsIn(path: string): Promise<EditLine[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new UserError(`cannot read ${path}: give what an evaluation printed with --json`, {
      cause,
    });
  });
  return text.split("\n").flatMap((line) => EditLine.safeParse(jsonOf(line)).data ?? []);
}

/** Sets a submission to TGVE beside another, edit by edit, and prints one table. */
export async function runTgveComparison(
  { first, second, own }: { first: string; second: string; own: readonly EditLine[] },
  report: Reporter,
): Promise<void> {
  const compared = compareTgve(own, await tgveEditsIn(second));
  if (compared.scored === 0)
    throw new UserError(
      `${first} and ${second} have no edit of TGVE in common: score both with the same --dataset and --plus`,
    );
  if (compared.single > 0)
    report.warn(`edits that only one of the two has are left out: ${compared.single}`);
  const text = `${first} minus ${second}\n${table(tgveTable(compared))}`;
  report.event({ type: "tgve-comparison", first, second, ...compared }, text);
}
