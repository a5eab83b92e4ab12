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
    alignment: {
      type: "string",
      valueHint: "dir",
      description: "where to put an alignment instead of into the model folder",
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
    const { ModelFolder } = await import("../eve/model-folder.ts");
    const elsewhere = args.alignment === undefined ? {} : { alignment: args.alignment };
    const target = new ModelFolder(model, elsewhere);
    const part = await exportTinyPart(stage, args.run ?? `runs/${stage}`, target, cache);
    const path = target.partPath(part);
    report.event({ type: "part-exported", part, model, path }, `${part} written to ${path}`);
  },
});
