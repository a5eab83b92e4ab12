import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { clipFolder, clipPicture, framesOf, makeClip } from "../../../test/support/clips.ts";
import { writePng } from "../image/png.ts";
import { readPicture } from "../image/read-picture.ts";
import { checkOutput, writeOutput } from "./outputs.ts";
import { probeVideo } from "./probe.ts";
import { readFrames } from "./reader.ts";

const [WIDTH, HEIGHT] = [24, 16];
const pictureOf = (index: number): Uint8Array => clipPicture(index, WIDTH, HEIGHT);

async function writeAs(folder: string, names: readonly string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [index, name] of names.entries())
    await writePng(join(folder, name), pictureOf(index), WIDTH, HEIGHT);
}

describe("a folder of pictures", () => {
  test("is a video of them in the order of their names, 25 a second, and says that nobody told so", async () => {
    await using folder = await clipFolder();
    const path = folder.file("pictures [1]{a,b}*?"); // what patterns are made of
    await writeAs(path, ["a08.png", "a09.png", "a10.png"]);
    await writeFile(join(path, "notes.txt"), "none of them");
    const info = await probeVideo(path);
    expect(info).toMatchObject({ width: WIDTH, height: HEIGHT, frames: 3, averageFps: 25 });
    expect(info).toMatchObject({ isUntimed: true, hasAudio: false, contentCredentials: null });
    const frames = await framesOf(path);
    expect(frames.map(({ ptsSeconds }) => ptsSeconds)).toEqual([0, 0.04, 0.08]);
    for (const [index, { rgb }] of frames.entries()) expect(rgb).toEqual(pictureOf(index));
    const untimed = /nothing says how long each picture of .* is shown: 25 a second$/;
    expect((await checkOutput(info, folder.file("out.mp4"))).join()).toMatch(untimed);
    expect((await checkOutput(info, folder.file("out/"))).join()).not.toMatch(untimed);
  });

  test("that an edit has written has the times of then, on average", async () => {
    await using folder = await clipFolder();
    const clip = folder.file("clip.mp4");
    await makeClip(clip, { ticks: [0, 1024, 2048] });
    const source = await probeVideo(clip);
    await writeOutput(source, folder.file("pictures/"), readFrames(clip));
    const info = await probeVideo(folder.file("pictures"));
    expect(info.isUntimed).toBe(false);
    expect(info.durationSeconds).toBeCloseTo(source.durationSeconds, 6);
    expect(await checkOutput(info, folder.file("out.mp4"))).toEqual([]);
  });

  test.each([
    ["without pictures", [], /holds no picture: give a video, or a folder of PNG or JPEG/],
    ["with two endings", ["1.png", "2.PNG"], /two endings \(1\.png, 2\.PNG\): give those of one/],
    ["out of order", ["1.png", "2.png", "10.png"], /not in order .*number them with leading zeros/],
  ])("%s is refused", async (_what, names, message) => {
    await using folder = await clipFolder();
    const path = folder.file("pictures");
    await writeAs(path, names);
    await expect(probeVideo(path)).rejects.toThrow(message);
    await expect(probeVideo(path)).rejects.toHaveProperty("name", "UserError");
  });

  test("is not written over itself", async () => {
    await using folder = await clipFolder();
    await writeAs(folder.file("pictures"), ["000001.png"]);
    const info = await probeVideo(folder.file("pictures"));
    await expect(checkOutput(info, folder.file("pictures/"))).rejects.toThrow(
      /is the input itself/,
    );
  });
});

describe("a picture", () => {
  test("is a video of one frame, turned as it says", async () => {
    await using folder = await clipFolder();
    const upright = folder.file("upright.png");
    await writePng(upright, pictureOf(3), WIDTH, HEIGHT);
    expect((await framesOf(upright)).map(({ rgb }) => rgb)).toEqual([pictureOf(3)]);
    const lying = folder.file("lying.jpg");
    const info = await probeVideo(upright);
    await writeOutput(info, lying, readFrames(upright));
    await writeFile(lying, turnedByExif(await readFile(lying)));
    expect(await probeVideo(lying)).toMatchObject({ width: HEIGHT, height: WIDTH, frames: 1 });
    const [frame] = await framesOf(lying);
    const { rgb } = await readPicture(lying);
    const difference = frame!.rgb.reduce((sum, value, at) => sum + Math.abs(value - rgb[at]!), 0);
    expect(difference / rgb.length).toBeLessThan(3); // two decoders of JPEG
  });

  test("is written from one frame, with what it says of itself", async () => {
    await using folder = await clipFolder();
    const input = folder.file("in.png");
    await writePng(input, pictureOf(1), WIDTH, HEIGHT);
    const info = await probeVideo(input);
    const output = folder.file("out.png");
    const options = { metadata: { comment: "edited" } };
    const { frames, path } = await writeOutput(info, output, readFrames(input), options);
    expect([frames, path]).toEqual([1, output]);
    expect((await readPicture(output)).rgb).toEqual(pictureOf(1));
    expect((await readFile(output)).includes("edited")).toBe(true);
  });

  test("is not written of several frames, nor in another form, nor with a codec", async () => {
    await using folder = await clipFolder();
    const clip = folder.file("clip.mp4");
    await makeClip(clip, { ticks: [0, 512] });
    const info = await probeVideo(clip);
    const check = (name: string, choice = {}) => checkOutput(info, folder.file(name), choice);
    await expect(check("out.png")).rejects.toThrow(/one picture, and .*clip\.mp4 has 2 frames/);
    await expect(check("out.webp")).rejects.toThrow(/written as \.png or \.jpg/);
    await expect(check("out.png", { codec: "h264" })).rejects.toThrow(/a picture, which has no/);
    await copyFile(clip, folder.file("fake.png"));
    await expect(probeVideo(folder.file("fake.png"))).rejects.toHaveProperty("name", "UserError");
  });
});

/** The JPEG with EXIF that says to turn it by a quarter, clockwise. */
function turnedByExif(jpeg: Buffer): Buffer {
  const tiff = "4d4d002a00000008000101120003000000010006000000000000";
  const body = Buffer.concat([Buffer.from("Exif\0\0"), Buffer.from(tiff, "hex")]);
  const head = Buffer.from([0xff, 0xe1, 0, body.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]);
}
