import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { contactSheet, type SheetRow } from "../data/image/contact-sheet.ts";
import { writePng } from "../data/image/png.ts";
import type { RgbImage } from "../data/image/rgb-image.ts";
import { toBytes } from "../data/pixels.ts";
import { dims } from "../engine/axes.ts";
import { tensorScope } from "../engine/scope.ts";
import type { Pixels } from "../engine/tensor.ts";
import type { Sample } from "./stage.ts";

/**
 * Writes samples as `step-000500-<name>.png` and `.mp4`; returns their paths.
 *
 * Clips are left out where the video library is not installed, as on a machine that only trains.
 */
export async function writeSampleFiles(
  folder: string,
  step: number,
  samples: readonly Sample[],
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const written: string[] = [];
  for (const sample of samples) {
    const stem = join(folder, `step-${String(step).padStart(6, "0")}-${sample.name}`);
    const path =
      sample.type === "sheet"
        ? await writeSheet(`${stem}.png`, sample)
        : await writeClip(`${stem}.mp4`, sample);
    if (path) written.push(path);
  }
  return written;
}

async function writeSheet(
  path: string,
  { rows, labels = [] }: Extract<Sample, { type: "sheet" }>,
): Promise<string> {
  const sheet = contactSheet(
    rows.map((row, index): SheetRow => ({ label: labels[index] ?? "", images: row.map(toImage) })),
  );
  await writePng(path, sheet.rgb, sheet.width, sheet.height);
  return path;
}

async function writeClip(
  path: string,
  { frames, fps }: Extract<Sample, { type: "clip" }>,
): Promise<string | null> {
  const { h: height, w: width } = dims(frames, "f 3 h w");
  const library = await videoLibrary();
  if (!library) return null;
  await library.writeVideo(path, framesOf(frames), { width, height, fps });
  return path;
}

type VideoLibrary = typeof import("../data/video/writer.ts");

async function videoLibrary(): Promise<VideoLibrary | null> {
  try {
    return await import("../data/video/writer.ts");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND")
      return null;
    throw error;
  }
}

function framesOf(frames: Pixels<"f 3 h w">): Uint8Array[] {
  using _ = tensorScope();
  return toBytes(frames.detach());
}

function toImage(pixels: Pixels<"3 h w">): RgbImage {
  const { h: height, w: width } = dims(pixels, "3 h w");
  using _ = tensorScope();
  return { rgb: toBytes(pixels.detach().unsqueeze(0))[0]!, width, height };
}
