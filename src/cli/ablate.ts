import { defineCommand } from "citty";
import { numberOption, oneOf } from "./arguments.ts";
import { Reporter } from "./output.ts";
import { trainingArgs } from "./train.ts";
import type { VerbContext } from "./verb.ts";

export default defineCommand({
  meta: {
    name: "ablate",
    description:
      "Distil once for each ablation and seed, with one budget, measure all, and write a table; again continues",
  },
  args: {
    names: {
      type: "string",
      valueHint: "list",
      description: "ablations, separated by commas (default: all)",
    },
    seeds: { type: "string", default: "3", valueHint: "n", description: "runs of each" },
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
      default: "3",
      valueHint: "n",
      description: "denoising steps of what is measured",
    },
    json: {
      type: "boolean",
      description: "print one JSON object per event; the last is the table",
    },
  },
  async run({ args, rawArgs, data }) {
    const { signal }: VerbContext = data;
    const { ABLATION_NAMES } = await import("../presets/ablations.ts");
    const { readOverrides } = await import("./overrides.ts");
    const whole = { min: 1, integer: true };
    const names = (args.names?.split(",") ?? ABLATION_NAMES).map((name) =>
      oneOf("--names", name.trim(), ABLATION_NAMES),
    );
    const { runAblations } = await import("./ablation-runs.ts");
    await runAblations(
      {
        names,
        seeds: numberOption("--seeds", args.seeds, { ...whole, max: 100 }),
        model: args.model,
        out: args.out,
        distill: [
          ...(args.steps === undefined
            ? []
            : ["--steps", String(numberOption("--steps", args.steps, whole))]),
          ...readOverrides(rawArgs).flatMap(({ path, text }) => ["--set", `${path}=${text}`]),
        ],
        evaluate: [
          ["--split", oneOf("--split", args.split, ["validation", "test"])],
          ["--count", String(numberOption("--count", args.count, whole))],
          ["--steps", String(numberOption("--draw-steps", args["draw-steps"], whole))],
        ].flat(),
      },
      { report: new Reporter(args), signal },
    );
  },
});
