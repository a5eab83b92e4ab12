import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DeviceChoice } from "../engine/device-choices.ts";
import { chooseDevice, defaultDevice } from "../engine/device.ts";
import { UserError } from "../engine/errors.ts";
import { fastType, useAllCores } from "../engine/settings.ts";
import { isAlignmentFile, videoStrengthOf } from "../eve/model/lora-export.ts";
import {
  OPEN_PARTS,
  openWeightBytes,
  openWeightsHash,
  type OpenFolders,
} from "../eve/open/open-folders.ts";
import { OpenModel, type OpenModelOptions } from "../eve/open/open-model.ts";
import { OPEN_NAME, OPEN_SIZE } from "../eve/open/open-name.ts";
import { openParts, type OpenParts } from "../eve/open/open-parts.ts";
import { strengthOn } from "../eve/stack/alignment-weights.ts";
import { loadLora } from "../models/lora-files/load.ts";
import type { Lora } from "../nn/lora.ts";
import type { Packing } from "../nn/pack-convolutions.ts";
import {
  loadRunAlignment,
  runDirectoryAt,
  runOfWeights,
  runWeights,
} from "../training/stages/run-lora.ts";
import { Editor } from "./editor.ts";
import { type LoadOptions, requireLoadOpenOptions } from "./options.ts";
import { processMemory, requireMemoryFor } from "./report/estimate.ts";

/** Which public weights to load, and what aligns them. */
export interface OpenEditorOptions extends Pick<LoadOptions, "signal" | "onProgress"> {
  readonly folders: OpenFolders;
  /**
   * A run of `eve distill` or what was exported of it, which aligns the adapters; or any LoRA file of PEFT, diffusers or
   * kohya, whose look all frames get. None by default.
   */
  readonly lora?: string | undefined;
  /** What a look is multiplied by, 0 to 2; 1 by default. An alignment is used as it was trained. */
  readonly loraStrength?: number | undefined;
  readonly device?: DeviceChoice | undefined;
  /** Side of the model's pictures in pixels; 512 by default. */
  readonly size?: number;
}

/** Side in pixels up to which the model's large kernels are packed: above, laying them out costs little beside convolving. */
const LARGEST_PACKED = 256;

/** Loads the open model from its public folders and makes an editor of it. */
export async function openFolderEditor(options: OpenEditorOptions): Promise<Editor> {
  requireLoadOpenOptions(options);
  const { folders, lora: path, loraStrength, device = "auto", size, signal, onProgress } = options;
  onProgress?.({ type: "progress", phase: "loading" });
  signal?.throwIfAborted();
  const file = path === undefined ? undefined : loraFile(path);
  if (loraStrength !== undefined && file === undefined)
    throw new UserError("loraStrength: expected a lora that it is for");
  chooseDevice(device);
  const onCpu = defaultDevice() === "cpu";
  useAllCores();
  // On the CPU weights stay mapped from their files; a GPU computes in bfloat16 and need not convert them each time
  const parts = openParts(
    folders,
    onCpu ? { packing: packingFor(folders, size) } : { weightType: "bfloat16" },
  );
  const asked = { path: path ?? "", strength: loraStrength };
  const adapted = file === undefined ? {} : adaptedBy(file, parts, asked);
  const hash = createHash("sha256").update(openWeightsHash(folders, OPEN_PARTS));
  if (file !== undefined) hash.update(readFileSync(file.weights));
  if (loraStrength !== undefined && loraStrength !== 1) hash.update(`strength ${loraStrength}`);
  signal?.throwIfAborted();
  return new Editor(
    new OpenModel(parts, {
      hash: hash.digest("hex"),
      ...adapted,
      ...(size !== undefined && { size }),
    }),
  );
}

/** How to pack large kernels on the CPU; null: not at all. Refuses weights that are more than the free memory. */
function packingFor(folders: OpenFolders, size = OPEN_SIZE): Packing | null {
  const weightBytes = openWeightBytes(folders);
  const { availableBytes } = processMemory();
  requireMemoryFor(weightBytes, `the weights of the ${OPEN_NAME} model`, { availableBytes });
  if (size > LARGEST_PACKED) return null;
  // half of what the weights leave is for the edit itself
  return { dtype: fastType("cpu"), spareBytes: (availableBytes - weightBytes) / 2 };
}

/** Where a LoRA comes from, looked up before anything is loaded. */
type LoraSource =
  | { readonly type: "run"; readonly directory: string; readonly weights: string }
  | { readonly type: "file"; readonly weights: string };

/** PEFT's own name of the file in its folders. */
const PEFT_FILE = "adapter_model.safetensors";

function loraFile(path: string): LoraSource {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  if (existsSync(path) && !isFolder) {
    const run = runOfWeights(path);
    return run === undefined
      ? { type: "file", weights: path }
      : { type: "run", directory: run, weights: path };
  }
  if (isFolder && existsSync(join(path, PEFT_FILE)))
    return { type: "file", weights: join(path, PEFT_FILE) };
  const directory = runDirectoryAt(path);
  if (directory !== undefined) return { type: "run", directory, weights: runWeights(directory) };
  throw new UserError(
    `lora: expected the directory of a run of "./eve distill", or a LoRA's .safetensors file, found neither at ${path}`,
  );
}

/** A LoRA as it was asked for. */
interface AskedLora {
  readonly path: string;
  readonly strength: number | undefined;
}

/** What a LoRA is to the model: what aligns its adapters where a distillation of them trained it, else a look. */
function adaptedBy(
  source: LoraSource,
  parts: OpenParts,
  { path, strength }: AskedLora,
): Pick<OpenModelOptions, "alignment" | "look"> {
  const { unet } = parts.networks;
  const isAlignment = source.type === "run" || isAlignmentFile(source.weights);
  if (isAlignment && strength !== undefined)
    throw new UserError(`loraStrength: ${path} aligns the adapters, and is used as it was trained`);
  if (source.type === "run") {
    const { lora, videoStrength } = loadRunAlignment(source.directory, unet, source.weights);
    return { alignment: { lora, videoStrength: strengthOn(unet, videoStrength), path } };
  }
  const lora = fileLora(source.weights, parts, strength);
  if (!isAlignment) return { look: { lora, strength: strength ?? 1, path } };
  const videoStrength = strengthOn(unet, videoStrengthOf(source.weights));
  return { alignment: { lora, videoStrength, path } };
}

/** The LoRA of the backbone in a file. One of the text encoder that comes with it is merged into that. */
function fileLora(
  path: string,
  { networks: { unet }, textEncoder }: OpenParts,
  strength: number | undefined,
): Lora {
  const { unet: lora, textEncoder: ofText } = loadLora(path, { unet, textEncoder });
  if (lora === null)
    throw new UserError(`lora: expected updates of the U-Net in ${path}, it has none`);
  ofText?.merge(textEncoder, strength);
  return lora;
}
