import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Rng } from "../../engine/random.ts";
import { Autoencoder } from "../../models/vae/autoencoder.ts";
import { clipFolder, makeClip } from "../../../test/support/clips.ts";
import { CLIP_SETTINGS } from "../../../test/support/data-set.ts";
import { folderContent } from "../../../test/support/folder-content.ts";
import { preparer, skippedOf } from "../../../test/support/preparer.ts";
import { SMALL_AUTOENCODER } from "../../../test/support/small-model.ts";
import { writePng } from "../image/png.ts";
import { writeOutput } from "../video/outputs.ts";
import { probeVideo } from "../video/probe.ts";
import { readFrames } from "../video/reader.ts";
import { dataFiles, readClips } from "./dataset.ts";

const folder = await clipFolder();
afterAll(async () => folder[Symbol.asyncDispose]());
const settings = { ...CLIP_SETTINGS, clipsPerVideo: 2 };
const autoencoder = new Autoencoder(Rng.seed(1), SMALL_AUTOENCODER);

describe("a folder of pictures", () => {
  const pictures = folder.file("pictures");
  const video = folder.file("shown.mp4");
  const prepared = preparer(folder, { videos: [pictures], settings, autoencoder });
  const pictureFile = (index: number): string => join(pictures, `00000${index}.png`);
  beforeAll(async () => {
    await makeClip(video, { width: 40, height: 56, quality: "lossless" });
    await writeOutput(await probeVideo(video), `${pictures}/`, readFrames(video));
  });

  test("gives the clips of the video that it shows, with the times that are noted there", async () => {
    await prepared("from-pictures");
    await prepared("from-video", { videos: [video] });
    const [shown, filmed] = ["from-pictures", "from-video"].map((name) => folder.file(name));
    const files = readdirSync(pictures).filter((name) => !name.endsWith(".ffconcat"));
    const bytes = files.reduce((sum, name) => sum + statSync(join(pictures, name)).size, 0);
    const ofPictures = { source: "../pictures/", bytes };
    const wanted = readClips(filmed!).clips.map((clip) => Object.assign(clip, ofPictures));
    expect(readClips(shown!).clips).toEqual(wanted);
    const latents = ({ latents: path }: ReturnType<typeof dataFiles>): Buffer =>
      readFileSync(join(path, "0000000-2.safetensors"));
    expect(latents(dataFiles(shown!))).toEqual(latents(dataFiles(filmed!)));
    const both = await prepared("both", { videos: [video, pictures] });
    expect(skippedOf(both)[0]).toBe("pictures: clip 1 shows the very pictures of ../shown.mp4");
  });

  test("is made once, and stays the same when it is stopped", async () => {
    expect((await prepared("from-pictures")).encoded).toBe(0);
    const other = folder.file("other.mp4");
    await makeClip(other);
    const mixed = { videos: [pictures, other] };
    await prepared("mixed-straight", mixed);
    await prepared("mixed-stopped", mixed, ({ type }) => type === "video-done");
    expect((await prepared("mixed-stopped", mixed)).encoded).toBe(2);
    const [straight, stopped] = ["mixed-straight", "mixed-stopped"].map((name) =>
      folder.file(name),
    );
    expect(folderContent(stopped!)).toEqual(folderContent(straight!));
  });

  test("is called by its name also where the data set lies in it", async () => {
    await prepared("pictures/data");
    expect(readClips(join(pictures, "data")).clips[0]!.source).toBe("../../pictures/");
    expect((await prepared("pictures/data")).encoded).toBe(0);
    rmSync(join(pictures, "data"), { recursive: true });
  });

  test("that has changed since, or whose pictures differ in size, is told", async () => {
    rmSync(pictureFile(9));
    const changed = await prepared("from-pictures");
    expect(skippedOf(changed)[0]).toMatch(/^pictures: has changed since its clips were made/);
    await writePng(pictureFile(2), new Uint8Array(8 * 8 * 3), 8, 8);
    const unequal = await prepared("unequal");
    expect(skippedOf(unequal)[0]).toMatch(/^pictures: 000002\.png is 8 × 8 as it is shown, and/);
  });

  test("is another clip than one that begins with the same picture", async () => {
    const folders = [folder.file("still"), folder.file("moving")];
    for (const [which, path] of folders.entries()) {
      mkdirSync(path);
      for (let index = 0; index < 4; index++) {
        const level = which === 0 || index === 0 ? 90 : 90 + 20 * index;
        await writePng(join(path, `${index}.png`), new Uint8Array(48 * 3).fill(level), 8, 6);
      }
    }
    const one = { ...settings, frames: 4, stride: 1, clipsPerVideo: 1 };
    const both = await prepared("beginnings", { videos: folders, settings: one });
    expect(skippedOf(both)).toEqual([]);
    expect(readClips(folder.file("beginnings")).clips).toHaveLength(2);
  });
});
