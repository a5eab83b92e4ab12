import { mkdir } from "node:fs/promises";
import { defineCommand } from "citty";
import { openEvaluated } from "./open-evaluated.ts";
import { Reporter } from "./output.ts";
import type { VerbContext } from "./verb.ts";
import { elsewhere, forModel, worldArgs, worldOptions } from "./world-options.ts";

export default defineCommand({
  meta: {
    name: "world",
    description:
      "Measure a model on the generated world, where the right edit of each clip is known",
  },
  args: worldArgs,
  async run({ args: given, data }) {
    const { signal }: VerbContext = data;
    const report = new Reporter(given);
    const { options, wanted } = await worldOptions(given);
    if (given.sheets !== undefined) await mkdir(given.sheets, { recursive: true });
    const { runEvaluation } = await import("./world-evaluation-run.ts");
    const model = await openEvaluated(given, report, elsewhere(given));
    await runEvaluation(model, await forModel(options, model), wanted, {
      report,
      signal,
      sheets: given.sheets,
    });
  },
});
