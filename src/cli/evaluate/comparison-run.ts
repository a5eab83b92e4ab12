import { readFile } from "node:fs/promises";
import { TASKS, type Task } from "../../data/world/tasks.ts";
import { UserError } from "../../engine/errors.ts";
import { jsonOf } from "../../engine/json.ts";
import {
  COMPARISON_HEADINGS,
  comparisonCells,
} from "../../evaluation/statistics/comparison-table.ts";
import { compared, type PairedFigures } from "../../evaluation/statistics/paired.ts";
import {
  byMethod,
  pairsOf,
  repeatedClip,
  ScoredClip,
  type ClipPairs,
} from "../../evaluation/statistics/scored-clip.ts";
import { oneOf } from "../arguments.ts";
import { table, type Reporter } from "../output.ts";

/** What is set beside what. */
export interface ComparisonRequest {
  readonly first: string;
  readonly second: string;
  /** A method of the first; undefined: all that both have. */
  readonly method: string | undefined;
  /** A method of the second; undefined: the same. */
  readonly against: string | undefined;
}

/** One method beside another: over all clips, and by task. */
interface Beside {
  readonly method: string;
  readonly against: string;
  readonly all: PairedFigures;
  readonly tasks: Readonly<Partial<Record<Task, PairedFigures>>>;
}

type Methods = ReadonlyMap<string, readonly ScoredClip[]>;

/** Compares two files of results and prints a table for each pair of methods. */
export async function runComparison(request: ComparisonRequest, report: Reporter): Promise<void> {
  const { first, second } = request;
  const [own, other] = await Promise.all([methodsIn(first), methodsIn(second)]);
  const comparisons: Beside[] = [];
  for (const [method, against] of namesOf(request, own, other)) {
    const pairs = pairsOf(own.get(method)!, other.get(against)!);
    if (pairs.own.length === 0)
      throw new UserError(
        `${first} and ${second} have no clip in common: measure both with the same --split and --frames`,
      );
    if (pairs.single > 0)
      report.warn(`clips that only one of the two has are left out: ${pairs.single}`);
    comparisons.push({ method, against, ...compareAll(pairs) });
  }
  const text = comparisons.map(textOf).join("\n\n");
  report.event({ type: "comparison", first, second, comparisons }, text);
}

function compareAll({ own, other }: ClipPairs): Pick<Beside, "all" | "tasks"> {
  const ofTask = (task: Task): [Task, PairedFigures][] => {
    const [mine, theirs] = [own, other].map((clips) => clips.filter((clip) => clip.task === task));
    return mine!.length === 0 ? [] : [[task, compared(mine!, theirs!)]];
  };
  return { all: compared(own, other), tasks: Object.fromEntries(TASKS.flatMap(ofTask)) };
}

/** The scored clips of a file by method; what else an evaluation prints is passed over. */
async function methodsIn(path: string): Promise<Methods> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new UserError(`cannot read ${path}: give what an evaluation printed with --json`, {
      cause,
    });
  });
  const clips = text.split("\n").flatMap((line) => ScoredClip.safeParse(jsonOf(line)).data ?? []);
  if (clips.length === 0)
    throw new UserError(
      `${path} holds no scored clips: expected what eve evaluate world, steps, style or subject prints with --json`,
    );
  const methods = byMethod(clips);
  for (const [method, own] of methods) {
    const twice = repeatedClip(own);
    if (twice !== undefined)
      throw new UserError(
        `${path} holds the clip ${twice.task} ${twice.index} by ${method} twice: give each measurement a file of its own`,
      );
  }
  return methods;
}

function namesOf(
  { first, second, method, against = method }: ComparisonRequest,
  own: Methods,
  other: Methods,
): (readonly [string, string])[] {
  if (method !== undefined && against !== undefined) {
    return [
      [oneOf("--method", method, [...own.keys()]), oneOf("--against", against, [...other.keys()])],
    ];
  }
  const both = [...own.keys()].filter((name) => other.has(name));
  if (both.length > 0) return both.map((name) => [name, name]);
  const [mine, theirs] = [own, other].map((methods) => [...methods.keys()].join(", "));
  throw new UserError(
    `no method is in both: ${first} has ${mine}, ${second} has ${theirs}; name two by --method and --against`,
  );
}

function textOf({ method, against, all, tasks }: Beside): string {
  const rows = Object.entries({ ...tasks, all }).map(([name, figures]) =>
    [name].concat(comparisonCells(figures)),
  );
  return `${method} against ${against}\n${table([["task", ...COMPARISON_HEADINGS], ...rows])}`;
}
