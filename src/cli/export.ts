import { defineCommand } from "citty";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { invariant, UserError } from "../engine/errors.ts";
import type { ModelFolder } from "../eve/model-folder.ts";
import { Reporter } from "./output.ts";

export default defineCommand({
  meta: {
    name: "export",
    description:
      "Put the weights of a finished run into a model folder, or write a part of a model as a public LoRA file",
  },
  args: {
    stage: {
      type: "positional",
      description:
        "the stage that was trained, e.g. edit-adapter; with --format peft a part, e.g. alignment",
    },
    format: {
      type: "enum",
      options: ["part", "peft"],
      default: "part",
      description:
        "part: into the model folder; peft: from it to a LoRA file for diffusers and others",
    },
    out: {
      type: "string",
      valueHint: "file",
      description: "the LoRA file to write (--format peft)",
    },
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
      description: "where an alignment lies instead of in the model folder",
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
    const { ModelFolder } = await import("../eve/model-folder.ts");
    const elsewhere = args.alignment === undefined ? {} : { alignment: args.alignment };
    const target = new ModelFolder(model, elsewhere);
    if (args.format === "peft") return exportPeft(stage, target, args.out, report);
    if (args.out !== undefined)
      throw new UserError(`--out is the file of --format peft; a part goes into --model ${model}`);
    const { exportTinyPart } = await import("../presets/tiny-export.ts");
    const part = await exportTinyPart(stage, args.run ?? `runs/${stage}`, target, cache);
    const path = target.partPath(part);
    report.event({ type: "part-exported", part, model, path }, `${part} written to ${path}`);
  },
});

async function exportPeft(
  name: string,
  folder: ModelFolder,
  path: string | undefined,
  report: Reporter,
): Promise<void> {
  const { exportLora, LORA_PARTS } = await import("../eve/lora-export.ts");
  const part = LORA_PARTS.find((known) => known === name);
  if (part === undefined)
    throw new UserError(`expected a part that is a LoRA (${LORA_PARTS.join(", ")}), got "${name}"`);
  if (path === undefined || !path.endsWith(".safetensors"))
    throw new UserError(
      `expected --out <file.safetensors> with --format peft, got ${path ?? "none"}`,
    );
  mkdirSync(dirname(path), { recursive: true });
  const { size } = exportLora(folder, part, path);
  const text = `${part} written to ${path}: a LoRA of ${size} layers, for diffusers and others`;
  report.event({ type: "lora-exported", part, model: folder.path, path, layers: size }, text);
}
