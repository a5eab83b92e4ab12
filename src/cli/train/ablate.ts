import { defineCommand } from "citty";
import { listOf, numberOption, oneOf } from "../arguments.ts";
import { Reporter } from "../output.ts";
import type { VerbContext } from "../verb.ts";
import { trainingArgs } from "./train.ts";

export default defineCommand({
  meta: {
    name: "ablate",
    description:
      "Distil once for each ablation and seed, with one budget, measure all, and write a table; the same command again continues",
  },
  args: {
    rows: {
      type: "string",
      valueHint: "list",
      description: "only these ablations, separated by commas (default: all)",
    },
    seeds: {
      type: "string",
      default: "1,2,3",
      valueHint: "list",
      description: "seeds, separated by commas; each row has a run for each",
    },
    model: {
      type: "string",
      default: "models/tiny",
      valueHint: "dir",
      description: "the model whose adapters are aligned",
    },
    out: {
      type: "string",
      alias: "o",
      default: "runs/ablations",
      valueHint: "dir",
      description: "folder for the runs and the table",
    },
    steps: trainingArgs.steps,
    set: trainingArgs.set,
    split: {
      type: "string",
      default: "validation",
      valueHint: "name",
      description: "clips to measure on: validation, or test for the result",
    },
    count: { type: "string", default: "20", valueHint: "n", description: "clips of each task" },
    "draw-steps": {
      type: "string",
      valueHint: "n",
      description: "denoising steps of what is measured (default: the model's)",
    },
    table: {
      type: "boolean",
      description: "run nothing: set the finished runs of the folder in a table, whoever made them",
    },
    json: {
      type: "boolean",
      description: "print one JSON object per event; the last is the table",
    },
  },
  async run({ args, rawArgs, data }) {
    const { signal }: VerbContext = data;
    const report = new Reporter(args);
    if (args.table === true) {
      const { reportAblations, tellAblations } = await import("./ablation-report.ts");
      return tellAblations(reportAblations(args.out), report);
    }
    const { ABLATION_NAMES } = await import("../../presets/ablations.ts");
    const { readOverrides } = await import("./overrides.ts");
    const { nearestModel } = await import("../../editing/settings/model-path.ts");
    const { runAblations } = await import("./ablation-runs.ts");
    const whole = { min: 1, integer: true };
    const number = (flag: string, text: string): string => String(numberOption(flag, text, whole));
    await runAblations(
      {
        names: listOf("--rows", args.rows, ABLATION_NAMES),
        seeds: seedsOf(args.seeds),
        model: nearestModel(args.model),
        out: args.out,
        settings: [
          ...readOverrides(rawArgs),
          ...(args.steps === undefined
            ? []
            : [{ path: "steps", text: number("--steps", args.steps) }]),
        ],
        evaluate: [
          ["--split", oneOf("--split", args.split, ["validation", "test"])],
          ["--count", number("--count", args.count)],
          args["draw-steps"] === undefined
            ? []
            : ["--steps", number("--draw-steps", args["draw-steps"])],
        ].flat(),
      },
      { report, signal },
    );
  },
});

/** Each seed once, in the order in which they are given. */
function seedsOf(text: string): number[] {
  const limits = { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true };
  const seeds = text.split(",").map((one) => numberOption("--seeds", one.trim(), limits));
  return [...new Set(seeds)];
}
