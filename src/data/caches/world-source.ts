import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Autoencoder } from "../../models/vae/autoencoder.ts";
import { renderFrame } from "../world/render.ts";
import { sampleScene } from "../world/sample.ts";
import type { Split } from "../world/splits.ts";

/** Which items of the generated world a cache is made of, and where caches are kept. */
export interface WorldSource {
  readonly folder: string;
  readonly split: Exclude<Split, "test">;
  /** Side of the pictures, in pixels. */
  readonly size: number;
  /** Items, from the first on. */
  readonly count: number;
}

/** The same, and what encodes the pictures. */
export interface LatentSource extends WorldSource {
  readonly autoencoder: Autoencoder;
  /** Identifies the encoder that made the latents. */
  readonly autoencoderHash: string;
}

/** A digest of what the world draws: caches of another look are not used. */
export function worldDigest(size: number): string {
  const hash = createHash("sha256");
  for (let index = 0; index < 24; index++)
    hash.update(renderFrame(sampleScene("validation", index), index, size));
  return hash.digest("hex").slice(0, 12);
}

/** The folder of the cache `name` of what `madeBy` has made of a source's pictures: what is made otherwise lies elsewhere. */
export function worldFolder(
  name: string,
  { folder, split, size }: Omit<WorldSource, "count">,
  madeBy: string,
): string {
  return join(folder, `${name}-${split}-${size}-${worldDigest(size)}-${madeBy}`);
}
