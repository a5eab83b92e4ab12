import { basename, resolve } from "node:path";
import { defineCommand } from "citty";
import { UserError } from "../../engine/errors.ts";
import type { TrainConfig } from "../../training/config.ts";
import type { StageEntry } from "../../training/stage.ts";
import { oneOf } from "../arguments.ts";
import type { VerbContext } from "../verb.ts";
import { trainingArgs, trainStage } from "./train.ts";

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
      description:
        "run directory (default: runs/distillation, with the names of data and ablation)",
    },
    data: {
      type: "string",
      valueHint: "dir",
      description: "learn from a data set of your own (eve data …) instead of the generated world",
    },
    combine: {
      type: "string",
      valueHint: "type:name",
      description:
        "align another adapter with the edit adapter (§4.4): style:line-art or subject:toy-robot",
    },
    ablation: {
      type: "string",
      valueHint: "name",
      description: "leave a part of the method out, e.g. no-sds; a wrong name lists all of them",
    },
  },
  async run({ args, rawArgs, data }) {
    const { signal }: VerbContext = data;
    const { ablation, combine, data: folder, preset } = args;
    if (folder !== undefined && combine !== undefined)
      throw new UserError("--data and --combine exclude each other: a look draws its own inputs");
    if (preset === "open" && combine !== undefined)
      throw new UserError("--combine goes with the tiny preset: looks are drawn by its world");
    const own = folder === undefined ? undefined : basename(resolve(folder));
    const name = [
      preset === "open" ? "open" : "distillation",
      own,
      combine?.replace(":", "-"),
      ablation,
    ]
      .filter((part) => part !== undefined)
      .join("-");
    const options = { ...args, out: args.out ?? `runs/${name}` };
    const change = (entry: StageEntry) => changed(entry, { ablation, combine, folder });
    const warnings = async (config: TrainConfig) =>
      folder === undefined || preset === "open"
        ? []
        : (await import("../../presets/own-data.ts")).dataWarnings(config);
    const plan = preset === "open" ? (await import("./open-plan.ts")).showOpenPlan : undefined;
    await trainStage("distillation", options, rawArgs, { signal, change, warnings, plan });
  },
});

/** What the options leave out of the method, what they combine, and what is learned from. */
interface Choice {
  readonly ablation: string | undefined;
  readonly combine: string | undefined;
  readonly folder?: string | undefined;
}

async function changed(entry: StageEntry, choice: Choice): Promise<StageEntry> {
  const { ablation, combine, folder } = choice;
  if (folder !== undefined) {
    const { withData } = await import("../../presets/own-data.ts");
    return changed(withData(entry, folder), { ablation, combine });
  }
  if (combine !== undefined) {
    const { withLook } = await import("../../presets/combinations.ts");
    return changed(withLook(entry, combine), { ablation, combine: undefined });
  }
  if (ablation === undefined) return entry;
  const { ABLATION_NAMES, withAblation } = await import("../../presets/ablations.ts");
  return withAblation(entry, oneOf("--ablation", ablation, ABLATION_NAMES));
}
