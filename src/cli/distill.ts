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
    combine: {
      type: "string",
      valueHint: "type:name",
      description:
        "align another adapter with the edit adapter (§4.4): style:line-art or subject:owl",
    },
    ablation: {
      type: "string",
      valueHint: "name",
      description: "leave a piece of the method out, e.g. no-sds; a wrong name lists all",
    },
  },
  async run({ args, rawArgs, data }) {
    const { signal }: VerbContext = data;
    const { ablation, combine } = args;
    const name = ["distillation", combine?.replace(":", "-"), ablation]
      .filter((part) => part !== undefined)
      .join("-");
    const options = { ...args, out: args.out ?? `runs/${name}` };
    const change = (entry: StageEntry) => changed(entry, { ablation, combine });
    await trainStage("distillation", options, rawArgs, { signal, change });
  },
});

/** What the options leave out of the method, and what they combine. */
interface Choice {
  readonly ablation: string | undefined;
  readonly combine: string | undefined;
}

async function changed(entry: StageEntry, { ablation, combine }: Choice): Promise<StageEntry> {
  if (combine !== undefined) {
    const { config } = entry;
    const combined = { ...entry, config: { ...config, stage: { ...config.stage, combine } } };
    return changed(combined, { ablation, combine: undefined });
  }
  if (ablation === undefined) return entry;
  const { ABLATION_NAMES, withAblation } = await import("../presets/ablations.ts");
  return withAblation(entry, oneOf("--ablation", ablation, ABLATION_NAMES));
}
