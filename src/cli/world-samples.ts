import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeContactSheet } from "../data/image/contact-sheet.ts";
import { writeVideo } from "../data/video/writer.ts";
import { WORLD_FPS } from "../data/world/motion.ts";
import { renderClip } from "../data/world/render.ts";
import { sampleScene } from "../data/world/sample.ts";
import type { Split } from "../data/world/splits.ts";

/** Which scenes to draw, and how. */
export interface SampleOptions {
  readonly split: Split;
  /** Index of the first scene. */
  readonly first: number;
  readonly count: number;
  /** Length of each clip. */
  readonly frames: number;
  /** Width and height of a frame, in pixels. */
  readonly size: number;
}

/** The files of one scene. */
export interface WrittenSample {
  readonly index: number;
  readonly video: string;
  readonly strip: string;
  readonly record: string;
}

/** A strip shows every second frame: motion is easier to see. */
const STRIP_STRIDE = 2;

/** Writes each scene's clip, strip of frames and record into `folder` as it is drawn. */
export async function* writeSamples(
  folder: string,
  { split, first, count, frames, size }: SampleOptions,
): AsyncGenerator<WrittenSample, void, void> {
  await mkdir(folder, { recursive: true });
  for (let index = first; index < first + count; index++) {
    const scene = sampleScene(split, index);
    const name = `${split}-${String(index).padStart(6, "0")}`;
    const path = join(folder, name);
    const written = { index, video: `${path}.mp4`, strip: `${path}.png`, record: `${path}.json` };
    const clip = renderClip(scene, frames, size);
    const images = clip
      .filter((_, frame) => frame % STRIP_STRIDE === 0)
      .map((rgb) => ({ rgb, width: size, height: size }));
    await writeVideo(written.video, clip, { width: size, height: size, fps: WORLD_FPS });
    await writeContactSheet(written.strip, [{ label: name, images }]);
    await writeFile(written.record, `${JSON.stringify(scene, null, 2)}\n`);
    yield written;
  }
}
