import { mkdir } from "node:fs/promises";
import { defineCommand } from "citty";
import { deviceFrom } from "../device-option.ts";
import { jobsAsked } from "../jobs-option.ts";
import { Reporter } from "../output.ts";
import type { VerbContext } from "../verb.ts";
import { openEvaluated } from "./open-evaluated.ts";
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
    const jobs = jobsAsked(given.jobs);
    const { runEvaluation } = await import("./world-evaluation-run.ts");
    const { placeOptions } = await import("../../evaluation/world/clips.ts");
    const { ClipProcesses } = await import("./clip-processes.ts");
    const parts = elsewhere(given);
    const model = await openEvaluated(given, report, parts);
    const resolved = await forModel(options, model);
    const device = deviceFrom(given.device);
    const work = { model: given.model, parts, device, options: placeOptions(resolved) };
    await using processes = new ClipProcesses(work, { jobs, signal });
    const { scorers } = processes;
    await runEvaluation(model, resolved, wanted, { report, signal, sheets: given.sheets, scorers });
  },
});
