import { defineCommand } from "citty";
import { invariant } from "../engine/errors.ts";
import { Reporter } from "./output.ts";

export default defineCommand({
  meta: { name: "export", description: "Put the weights of a finished run into a model folder" },
  args: {
    stage: { type: "positional", description: "the stage that was trained, e.g. edit-adapter" },
    run: {
      type: "string",
      valueHint: "dir",
      description: "its run directory (default: runs/<stage>)",
    },
    model: {
      type: "string",
      default: "models/tiny",
      valueHint: "dir",
      description: "the model folder",
    },
    cache: {
      type: "string",
      default: "runs/cache",
      valueHint: "dir",
      description: "where rendered pictures are kept",
    },
    json: { type: "boolean", description: "print one JSON object" },
  },
  async run({ args }) {
    const { stage, model, cache } = args;
    invariant(stage !== undefined, "the parser asks for the stage");
    const report = new Reporter(args);
    const { exportTinyPart } = await import("../presets/tiny-export.ts");
    const part = await exportTinyPart(stage, args.run ?? `runs/${stage}`, model, cache);
    report.event({ type: "part-exported", part, model }, `${part} written to ${model}/${part}`);
  },
});
