import { defineCommand } from "citty";
import type { StageEntry } from "../training/stage.ts";
import { oneOf } from "./arguments.ts";
import { trainingArgs, trainStage } from "./train.ts";
import type { VerbContext } from "./verb.ts";

export default defineCommand({
  meta: {
    name: "distill",
    description:
      "Align a model's adapters with each other (FDD); the same command again continues where it stopped",
  },
  args: {
    ...trainingArgs,
    out: {
      ...trainingArgs.out,
      description: "run directory (default: runs/distillation, or runs/distillation-<ablation>)",
    },
    ablation: {
      type: "string",
      valueHint: "name",
      description: "leave a piece of the method out, e.g. no-sds; a wrong name lists all",
    },
  },
  async run({ args, rawArgs, data }) {
    const { signal }: VerbContext = data;
    const { ablation } = args;
    const name = ablation === undefined ? "distillation" : `distillation-${ablation}`;
    const options = { ...args, out: args.out ?? `runs/${name}` };
    const change = (entry: StageEntry) => changed(entry, ablation);
    await trainStage("distillation", options, rawArgs, { signal, change });
  },
});

async function changed(entry: StageEntry, ablation: string | undefined): Promise<StageEntry> {
  if (ablation === undefined) return entry;
  const { ABLATION_NAMES, withAblation } = await import("../presets/ablations.ts");
  return withAblation(entry, oneOf("--ablation", ablation, ABLATION_NAMES));
}
