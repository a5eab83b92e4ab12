import { defineCommand } from "citty";
import { trainingArgs, trainStage } from "./train.ts";

export default defineCommand({
  meta: {
    name: "distill",
    description:
      "Align a model's adapters with each other (FDD); the same command again continues where it stopped",
  },
  args: {
    ...trainingArgs,
    out: { ...trainingArgs.out, description: "run directory (default: runs/distillation)" },
  },
  async run({ args, rawArgs, data }) {
    await trainStage("distillation", args, rawArgs, data);
  },
});
