import { defineCommand } from "citty";
import { UserError } from "../../engine/errors.ts";
import { deviceFrom } from "../device-option.ts";
import { jobsArg, jobsAsked } from "../jobs-option.ts";
import { Reporter } from "../output.ts";
import type { VerbContext } from "../verb.ts";
import { openEvaluated } from "./open-evaluated.ts";
import { clipArgs, clipOptions, elsewhere, stepCount, withNoise } from "./world-options.ts";

export default defineCommand({
  meta: {
    name: "steps",
    description:
      "Measure the editor in different numbers of steps, and name the fastest that loses no more than 2 %",
  },
  args: {
    ...clipArgs,
    steps: {
      type: "string",
      default: "2,3,4,6,12,24",
      valueHint: "list",
      description: "numbers of denoising steps, separated by commas",
    },
    jobs: jobsArg,
    stacked: {
      type: "boolean",
      description: "measure the adapters as they are, without their alignment",
    },
  },
  async run({ args, data }) {
    const { signal }: VerbContext = data;
    const report = new Reporter(args);
    const options = await clipOptions(args);
    const stepCounts = stepList(args.steps);
    if (args.stacked === true && args.alignment !== undefined)
      throw new UserError("--stacked and --alignment exclude each other: give one");
    const parts = elsewhere(args);
    const jobs = jobsAsked(args.jobs);
    const { runStepCounts } = await import("./step-counts-run.ts");
    const model = await openEvaluated(args, report, parts);
    const editor = model.hasAlignment && args.stacked !== true ? "aligned" : "stacked";
    const methods = await withNoise([editor, `${editor}-shared`], args.noise);
    const { ClipProcesses } = await import("./clip-processes.ts");
    const asked = { ...options, methods, stepCounts };
    const device = deviceFrom(args.device);
    const work = { model: args.model, parts, device, options: asked };
    await using processes = new ClipProcesses(work, { jobs, signal });
    await runStepCounts(model, asked, { report, signal, scorers: processes.scorers });
  },
});

/** Each number once, the lowest first. */
export function stepList(text: string): number[] {
  const counts = new Set(text.split(",").map((one) => stepCount(one.trim())));
  return [...counts].toSorted((a, b) => a - b);
}
