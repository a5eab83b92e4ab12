import { defineCommand } from "citty";
import { Reporter } from "./output.ts";

export default defineCommand({
  meta: {
    name: "inspect",
    description:
      "Show what is in a model folder or a .safetensors file, without loading the engine",
  },
  args: {
    path: { type: "positional", required: true, description: "a folder or a .safetensors file" },
    json: { type: "boolean", description: "print one JSON object per file, tensor and record" },
  },
  async run({ args }) {
    const { describe } = await import("./inspection.ts");
    const report = new Reporter(args);
    const { events, text } = await describe(args.path);
    if (report.json) for (const event of events) report.event(event);
    else report.event({ type: "inspection" }, text);
  },
});
