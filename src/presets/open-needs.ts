import { UserError } from "../engine/errors.ts";
import type { OpenFolders } from "../eve/open/open-folders.ts";
import { resolveMotionConfig } from "../models/motion/config.ts";
import { resolveUNetConfig, unetStride } from "../models/unet/config.ts";
import { latentStride, resolveVaeConfig } from "../models/vae/config.ts";
import type { DistillationSettings } from "../training/stages/distillation-settings.ts";

/** Who knows where the public weights lie. */
export interface OpenWeightsSource {
  readonly model: () => Promise<OpenFolders>;
  /** The folder of DINOv2-S/14, which the critics see with. */
  readonly vision: () => Promise<string>;
}

/** The folder of a data set that a run on the open preset needs; a sentence where none is named. */
export function requireData({ data }: Pick<DistillationSettings, "data">): string {
  if (data !== null) return data;
  throw new UserError(
    'the open preset learns from videos of your own: make a data set with "./eve data prepare <videos> --model open --out data/mine", and give --data data/mine',
  );
}

/** What clips the networks of an open model take. */
export interface ClipLimits {
  /** Frames that the motion modules have positions for. */
  readonly maxFrames: number;
  /** What sides are multiples of, in pixels. */
  readonly multiple: number;
}

/** The limits of the public networks, as they are published: no weights are needed. */
export function publicLimits(): ClipLimits {
  const { maxFrames } = resolveMotionConfig({});
  return {
    maxFrames,
    multiple: unetStride(resolveUNetConfig({})) * latentStride(resolveVaeConfig({})),
  };
}

/** Throws a UserError for clips that the networks cannot take. */
export function requireShape(
  data: string,
  { frames, size }: { readonly frames: number; readonly size: number },
  { maxFrames, multiple }: ClipLimits,
): void {
  const faults = [
    frames > maxFrames && `clips of ${frames} frames, the motion modules take ${maxFrames} at most`,
    size % multiple !== 0 &&
      `pictures of ${size} × ${size}, sides have to be multiples of ${multiple}`,
  ].filter((fault) => fault !== false);
  if (faults.length === 0) return;
  throw new UserError(
    `${data} holds ${faults.join(" and ")}: prepare the clips again, into another folder`,
  );
}
