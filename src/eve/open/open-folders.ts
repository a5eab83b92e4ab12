import { createHash } from "node:crypto";
import { realpathSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { fileDigest } from "../../engine/file-digest.ts";
import { tensorScope } from "../../engine/scope.ts";
import { openWeights } from "../../models/public-weights/weight-files.ts";

/** Where the public weights of the open model lie: one folder for each repository. */
export interface OpenFolders {
  /** Stable Diffusion 1.5: a pipeline of diffusers. */
  readonly pipeline: string;
  /** `control_v11e_sd15_ip2p`: a ControlNet. */
  readonly editAdapter: string;
  /** AnimateDiff's third motion adapter. */
  readonly videoAdapter: string;
  /** SparseCtrl-RGB. */
  readonly firstFrames: string;
}

/** The parts of the open model that have weights, in the order in which they are listed. */
export const OPEN_PARTS = [
  "unet",
  "vae",
  "text_encoder",
  "editAdapter",
  "videoAdapter",
  "firstFrames",
] as const;
/** The name of a part of the open model. */
export type OpenPart = (typeof OPEN_PARTS)[number];

/** The folder of one part, with its config.json. */
export function openPartFolder(folders: OpenFolders, part: OpenPart): string {
  switch (part) {
    case "unet":
    case "vae":
    case "text_encoder":
      return join(folders.pipeline, part);
    case "editAdapter":
    case "videoAdapter":
    case "firstFrames":
      return folders[part];
  }
}

/** Bytes of all weight files. */
export function openWeightBytes(folders: OpenFolders): number {
  return OPEN_PARTS.flatMap((part) => weightFiles(folders, part)).reduce(
    (sum, file) => sum + statSync(file).size,
    0,
  );
}

/** Identifies the weights of `parts` by the SHA-256 of each file; the hub's cache names files by it, others are read. */
export function openWeightsHash(folders: OpenFolders, parts: readonly OpenPart[]): string {
  const hash = createHash("sha256");
  for (const file of parts.flatMap((part) => weightFiles(folders, part)))
    hash.update(`${digestOf(file)}\n`);
  return hash.digest("hex");
}

/** Identifies the autoencoder's weights: latents of others do not fit. */
export function openAutoencoderHash(folders: OpenFolders): string {
  return openWeightsHash(folders, ["vae"]).slice(0, 12);
}

function weightFiles(folders: OpenFolders, part: OpenPart): readonly string[] {
  using _ = tensorScope();
  return openWeights(openPartFolder(folders, part)).files;
}

function digestOf(file: string): string {
  const name = basename(realpathSync(file));
  return /^[0-9a-f]{64}$/.test(name) ? name : fileDigest(file).sha256;
}
