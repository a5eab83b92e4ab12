import { createHash } from "node:crypto";
import type { DeviceChoice } from "../engine/device-choices.ts";
import { chooseDevice, defaultDevice } from "../engine/device.ts";
import { fastType, useAllCores } from "../engine/settings.ts";
import {
  OPEN_PARTS,
  openWeightBytes,
  openWeightsHash,
  type OpenFolders,
} from "../eve/open/open-folders.ts";
import { OpenModel } from "../eve/open/open-model.ts";
import { OPEN_NAME, OPEN_SIZE } from "../eve/open/open-name.ts";
import { openParts } from "../eve/open/open-parts.ts";
import type { Packing } from "../nn/pack-convolutions.ts";
import { Editor } from "./editor.ts";
import { type LocatedLora, loadLoras, locateLoras, loraBytes } from "./open-loras.ts";
import { type LoadOptions, requireLoadOpenOptions } from "./options.ts";
import { processMemory, requireMemoryFor } from "./report/estimate.ts";
import type { LoraChoice } from "./settings/model.ts";

/** Which public weights to load, and what stands beside them. */
export interface OpenEditorOptions extends Pick<LoadOptions, "signal" | "onProgress"> {
  readonly folders: OpenFolders;
  /** The path of a LoRA, or several, whose updates add up, at most one of them an alignment. None by default. */
  readonly lora?: string | readonly (string | LoraChoice)[] | undefined;
  /** What looks without a strength of their own are multiplied by, 0 to 2; 1 by default. */
  readonly loraStrength?: number | undefined;
  readonly device?: DeviceChoice | undefined;
  /** Side of the model's pictures in pixels; 512 by default. */
  readonly size?: number;
}

/** Side in pixels up to which large kernels are packed in bfloat16: above, laying them out costs little beside convolving. */
const LARGEST_PACKED = 256;

/** Loads the open model from its public folders and makes an editor of it. */
export async function openFolderEditor(options: OpenEditorOptions): Promise<Editor> {
  requireLoadOpenOptions(options);
  const { folders, lora, loraStrength, device = "auto", size, signal, onProgress } = options;
  onProgress?.({ type: "progress", phase: "loading" });
  signal?.throwIfAborted();
  const loras = locateLoras(lora, loraStrength);
  chooseDevice(device);
  const onCpu = defaultDevice() === "cpu";
  useAllCores();
  // On the CPU weights stay mapped from their files; a GPU computes in bfloat16 and need not convert them each time
  const parts = openParts(
    folders,
    onCpu ? { packing: packingFor(folders, loras, size) } : { weightType: "bfloat16" },
  );
  const beside = loadLoras(loras, parts);
  const hash = hashOf(folders, loras);
  signal?.throwIfAborted();
  return new Editor(new OpenModel(parts, { hash, ...beside, ...(size !== undefined && { size }) }));
}

/** Identifies what is loaded, by what is in its files; LoRAs by their strengths, too. */
function hashOf(folders: OpenFolders, loras: readonly LocatedLora[]): string {
  const hash = createHash("sha256").update(openWeightsHash(folders, OPEN_PARTS));
  for (const { identity, strength } of loras) hash.update(`${identity} ${strength}\n`);
  return hash.digest("hex");
}

/** How to pack large kernels on the CPU; null: not at all. Refuses weights that are more than the free memory. */
function packingFor(
  folders: OpenFolders,
  loras: readonly LocatedLora[],
  size = OPEN_SIZE,
): Packing | null {
  const weightBytes = openWeightBytes(folders) + loraBytes(loras);
  const { availableBytes } = processMemory();
  const what = `the weights of the ${OPEN_NAME} model${loras.length > 0 ? " and its LoRAs" : ""}`;
  requireMemoryFor(weightBytes, what, { availableBytes });
  const dtype = fastType("cpu");
  if (dtype === "bfloat16" && size > LARGEST_PACKED) return null;
  // most of what the weights leave is for the edit itself
  return { dtype, spareBytes: (availableBytes - weightBytes) / 4 };
}
