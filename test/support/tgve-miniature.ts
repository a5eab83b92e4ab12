import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCanvas } from "@napi-rs/canvas";

/** A table in the form of TGVE's, of three videos. */
export const MINIATURE_TABLE = [
  "Video name,Our GT caption,Style Change Caption,Object Change Caption,Background Change Caption,Multiple Changes Caption",
  "DAVIS Videos:,,,,,",
  'gold-fish,"a red cat, in the snow","a red cat in the snow, blue",a fox,a cat in the snow,a blue fox ',
  ",,,,,",
  ",,,,,",
  "Youtube Videos:,,,,,",
  "salsa,the fox,the red fox,the cat,the fox in the snow,a red cat",
  "",
  "Videvo Videos:,,,,,",
  'lotus,a hat,"a ""red"" hat",the cat,a hat in the snow,the blue cat',
  "",
].join("\n");

/** The folder of the miniature: the table and eight frames of each video. */
export async function writeMiniature(root: string): Promise<void> {
  mkdirSync(root, { recursive: true });
  writeFileSync(join(root, "LOVEU-TGVE-2023_Dataset.csv"), MINIATURE_TABLE);
  const videos = { DAVIS_480p: "gold-fish", youtube_480p: "salsa", videvo_480p: "lotus" };
  for (const [set, name] of Object.entries(videos)) {
    await writeFrames(join(root, set, "480p_frames", name), name.length);
  }
}

/** Small JPEG frames, eight unless told: a square that moves over a colour of `seed`; one that stands still where told. */
export async function writeFrames(
  folder: string,
  seed: number,
  { isStill = false, count = 8 } = {},
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (let index = 0; index < count; index++) {
    const canvas = createCanvas(32, 24);
    const context = canvas.getContext("2d");
    context.fillStyle = `hsl(${(seed * 67) % 360} 80% 50%)`;
    context.fillRect(0, 0, 32, 24);
    context.fillStyle = "#ffffff";
    context.fillRect(isStill ? 4 : 3 * index, 4 + (seed % 5), 8, 8);
    const name = `${String(index).padStart(5, "0")}.jpg`;
    writeFileSync(join(folder, name), await canvas.encode("jpeg", 90));
  }
}
