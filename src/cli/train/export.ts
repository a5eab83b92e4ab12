import { defineCommand } from "citty";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { invariant, UserError } from "../../engine/errors.ts";
import type { ModelFolder } from "../../eve/model/model-folder.ts";
import type { UNet } from "../../models/unet/unet.ts";
import { numberOption } from "../arguments.ts";
import { Reporter } from "../output.ts";

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
        "part: into the model folder; peft: from it, or from --run, to a LoRA file for diffusers and others",
    },
    out: {
      type: "string",
      valueHint: "file",
      description: "the LoRA file to write (--format peft)",
    },
    run: {
      type: "string",
      valueHint: "dir",
      description: "the run's directory (default: runs/<stage>)",
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
      description: "folder of the alignment, where it is not in the model folder",
    },
    share: {
      type: "string",
      default: "1",
      valueHint: "s",
      description:
        "how far to go from the model's weights to the run's, from 0 to 1: the mean of both is often better than either",
    },
    unfinished: {
      type: "boolean",
      description: "take the newest checkpoint of a run that was stopped",
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
    const { ModelFolder } = await import("../../eve/model/model-folder.ts");
    const elsewhere = args.alignment === undefined ? {} : { alignment: args.alignment };
    const { nearestModel } = await import("../../editing/settings/model-path.ts");
    const isRead = args.format === "peft";
    const target = new ModelFolder(isRead ? nearestModel(model) : model, elsewhere);
    if (args.format === "peft") {
      if (args.run === undefined) return exportPeft(stage, target, args.out, report);
      return exportRunPeft(stage, args.run, args.out, report);
    }
    if (args.out !== undefined)
      throw new UserError(`--out is the file of --format peft; a part goes into --model ${model}`);
    const { exportTinyPart } = await import("../../presets/tiny-export.ts");
    const share = numberOption("--share", args.share, { min: 0, max: 1 });
    const options = { cache, isUnfinishedTaken: args.unfinished ?? false, share };
    const part = await exportTinyPart(stage, args.run ?? `runs/${stage}`, target, options);
    const path = target.partPath(part);
    report.event({ type: "part-exported", part, model, path }, `${part} written to ${path}`);
  },
});

async function exportPeft(
  name: string,
  folder: ModelFolder,
  out: string | undefined,
  report: Reporter,
): Promise<void> {
  const { exportLora, LORA_PARTS } = await import("../../eve/model/lora-export.ts");
  const part = LORA_PARTS.find((known) => known === name);
  if (part === undefined)
    throw new UserError(`expected a part that is a LoRA (${LORA_PARTS.join(", ")}), got "${name}"`);
  const path = loraPath(out);
  const { size } = exportLora(folder, part, path);
  const text = `${part} written to ${path}: a LoRA of ${size} layers, for diffusers and others`;
  report.event({ type: "lora-exported", part, model: folder.path, path, layers: size }, text);
}

/** The newest weights of a run of the distillation, which may go on. */
async function exportRunPeft(
  stage: string,
  run: string,
  out: string | undefined,
  report: Reporter,
): Promise<void> {
  if (stage !== "distillation")
    throw new UserError(
      `expected the stage distillation with --format peft --run, got "${stage}": export it into a model folder first`,
    );
  const path = loraPath(out);
  const { exportRunLora, runDirectoryAt, runModel } =
    await import("../../training/stages/run-lora.ts");
  const directory = runDirectoryAt(run);
  if (directory === undefined)
    throw new UserError(`expected the directory of a run of "./eve distill", found none at ${run}`);
  const model = runModel(directory);
  const { size } = exportRunLora(directory, await backboneOf(model), path);
  const text = `${run} written to ${path}: a LoRA of ${size} layers, for diffusers and others`;
  report.event({ type: "lora-exported", run, model, path, layers: size }, text);
}

/** The backbone of a model: a folder, or the open model's in the hub's cache. */
async function backboneOf(model: string): Promise<UNet> {
  const { OPEN_NAME } = await import("../../eve/open/open-name.ts");
  if (model !== OPEN_NAME) {
    const { ModelFolder } = await import("../../eve/model/model-folder.ts");
    const { loadBackbone } = await import("../../eve/model/parts.ts");
    const { nearestModel } = await import("../../editing/settings/model-path.ts");
    const folder = new ModelFolder(nearestModel(model));
    folder.require("backbone");
    return loadBackbone(folder);
  }
  const { openHub } = await import("../../hub/hub.ts");
  const { locateOpenModel } = await import("../../hub/open-weights.ts");
  const { openPartFolder } = await import("../../eve/open/open-folders.ts");
  const { openNetwork, UNET } = await import("../../models/public-folder/networks.ts");
  return openNetwork(openPartFolder(await locateOpenModel(openHub()), "unet"), UNET);
}

/** Where a LoRA file goes: its folder need not exist yet. */
function loraPath(out: string | undefined): string {
  if (out === undefined || !out.endsWith(".safetensors"))
    throw new UserError(
      `expected --out <file.safetensors> with --format peft, got ${out ?? "none"}`,
    );
  mkdirSync(dirname(out), { recursive: true });
  return out;
}
