import { mkdir } from "node:fs/promises";
import { defineCommand } from "citty";
import type { LookType } from "../../data/world/looks.ts";
import { listOf, numberOption, oneOf } from "../arguments.ts";
import { Reporter } from "../output.ts";
import type { VerbContext } from "../verb.ts";
import { openEvaluated } from "./open-evaluated.ts";
import { stepsArg, stepsAsked, worldArgs } from "./world-options.ts";

/** The verb that measures the combination of the edit adapter with a look. */
const combination = (type: LookType, description: string) =>
  defineCommand({
    meta: { name: type, description },
    args: {
      model: worldArgs.model,
      split: worldArgs.split,
      count: { ...worldArgs.count, description: "pictures of each task" },
      steps: stepsArg,
      methods: {
        ...worldArgs.methods,
        description:
          "ways to edit, separated by commas: aligned, stacked, edit-adapter (default: all)",
      },
      seed: worldArgs.seed,
      device: worldArgs.device,
      sheets: { ...worldArgs.sheets, description: "write a contact sheet there" },
      json: worldArgs.json,
    },
    async run({ args: given, data }) {
      const { signal }: VerbContext = data;
      const report = new Reporter(given);
      const whole = { min: 1, integer: true };
      const options = {
        type,
        split: oneOf("--split", given.split, ["test", "validation"] as const),
        count: numberOption("--count", given.count, { ...whole, max: 10_000 }),
        seed: numberOption("--seed", given.seed, { ...whole, min: 0 }),
      };
      if (given.sheets !== undefined) await mkdir(given.sheets, { recursive: true });
      const steps = stepsAsked(given.steps);
      const { stepsFor } = await import("../../editing/settings/settings.ts");
      const { COMBINATION_METHODS } = await import("../../evaluation/world/combination.ts");
      const methods = listOf("--methods", given.methods, COMBINATION_METHODS);
      const { runCombinationEvaluation } = await import("./combination-evaluation-run.ts");
      const model = await openEvaluated(given, report);
      const drawn = { ...options, methods, steps: stepsFor({ steps }, model) };
      await runCombinationEvaluation(model, drawn, { report, signal, sheets: given.sheets });
    },
  });

/** `evaluate style`. */
export const style = combination(
  "style",
  "Measure edits in a style held out of the world: adapters aligned, or not (§4.4)",
);
/** `evaluate subject`. */
export const subject = combination(
  "subject",
  "Measure edits that bring in a subject held out of the world: adapters aligned, or not (§4.4)",
);
