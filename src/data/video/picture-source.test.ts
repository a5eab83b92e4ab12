import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { createCanvas } from "@napi-rs/canvas";
import { describe, expect, test } from "vitest";
import { clipFolder, clipPicture, framesOf, makeClip } from "../../../test/support/clips.ts";
import { writePng } from "../image/png.ts";
import { readPicture } from "../image/read-picture.ts";
import { turnUpright } from "./orientation.ts";
import { checkOutput, writeOutput } from "./outputs.ts";
import { pictureSourceAt } from "./picture-source.ts";
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
    expect(info).toMatchObject({ pictures: "untimed", hasAudio: false, hasAlpha: false });
    const frames = await framesOf(path);
    expect(frames.map(({ ptsSeconds }) => ptsSeconds)).toEqual([0, 0.04, 0.08]);
    for (const [index, { rgb }] of frames.entries()) expect(rgb).toEqual(pictureOf(index));
    const untimed = /nothing says how long each picture of .* is shown: 25 a second$/;
    expect((await checkOutput(info, folder.file("out.mp4"))).join()).toMatch(untimed);
    expect((await checkOutput(info, folder.file("out/"))).join()).not.toMatch(untimed);
  });

  test("that an edit has written has the times of then", async () => {
    await using folder = await clipFolder();
    const clip = folder.file("clip.mp4");
    await makeClip(clip, { ticks: [0, 1024, 1100, 5000] });
    const source = await probeVideo(clip);
    await writeOutput(source, folder.file("pictures/"), readFrames(clip));
    const info = await probeVideo(folder.file("pictures"));
    expect(info).toMatchObject({ pictures: "timed", variableFrameRate: true });
    expect(info.durationSeconds).toBeCloseTo(source.durationSeconds, 9);
    const again = folder.file("again.mp4");
    await writeOutput(info, again, readFrames(info.path));
    const times = async (path: string) =>
      (await framesOf(path)).map(({ ptsSeconds, duration }) => [ptsSeconds, Number(duration)]);
    expect(await times(again)).toEqual(await times(clip));
    expect(await checkOutput(info, folder.file("out.mp4"))).toEqual([]);
  });

  test("has a constant rate where its times are even but for their rounding", async () => {
    await using folder = await clipFolder();
    const path = folder.file("pictures");
    const names = ["1.png", "2.png", "3.png"];
    await writeAs(path, names);
    const noteTimes = async (durations: readonly number[]) => {
      const starts = [0, durations[0]!, durations[0]! + durations[1]!];
      const frames = names.map((file, index) => {
        return { file, pts: String(starts[index]), duration: String(durations[index]) };
      });
      const text = JSON.stringify({ timeBase: { num: 1, den: 1000 }, frames });
      await writeFile(join(path, "frames.json"), text);
      return probeVideo(path);
    };
    const info = await noteTimes([33, 34, 33]);
    expect(info).toMatchObject({ variableFrameRate: false, frameRate: { num: 30_000, den: 1000 } });
    await writeOutput(info, folder.file("out.avi"), readFrames(path));
    expect((await probeVideo(folder.file("out.avi"))).averageFps).toBeCloseTo(30, 9);
    expect(await noteTimes([33, 34, 330])).toMatchObject({ variableFrameRate: true });
  });

  test("goes by numbers in names, whatever their endings, and by no folder in it", async () => {
    await using folder = await clipFolder();
    const path = folder.file("pictures");
    await writeAs(path, ["img1.png", "img2.PNG", "img10.png", ".hidden.png"]);
    await mkdir(join(path, "img3.png"));
    const frames = await framesOf(path);
    expect(frames.map(({ rgb }) => rgb)).toEqual([0, 1, 2].map(pictureOf));
  });

  test("without pictures is refused, and one of another size is named", async () => {
    await using folder = await clipFolder();
    await mkdir(folder.file("empty"));
    await expect(probeVideo(folder.file("empty"))).rejects.toThrow(
      /holds no picture: give a video, or a folder of PNG or JPEG/,
    );
    const path = folder.file("pictures");
    await writeAs(path, ["1.png"]);
    await writePng(join(path, "2.png"), clipPicture(0, 8, 8), 8, 8);
    await expect(framesOf(path)).rejects.toThrow(
      /^2\.png is 8 × 8 as it is shown, and 1\.png is 24 × 16: bring the pictures to one size/,
    );
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
    const turned = turnUpright(pictureOf(3), WIDTH, HEIGHT, { rotation: 90, mirrored: false });
    const difference = frame!.rgb.reduce(
      (sum, value, at) => sum + Math.abs(value - turned[at]!),
      0,
    );
    expect(difference / turned.length).toBeLessThan(3); // what JPEG costs
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
  });

  test("is known by what is in it, not by its name", async () => {
    await using folder = await clipFolder();
    await makeClip(folder.file("clip.mp4"), { ticks: [0, 512] });
    await copyFile(folder.file("clip.mp4"), folder.file("clip.png"));
    expect((await probeVideo(folder.file("clip.png"))).frames).toBe(2);
    await writePng(folder.file("picture.png"), pictureOf(2), WIDTH, HEIGHT);
    await copyFile(folder.file("picture.png"), folder.file("stdin"));
    expect((await framesOf(folder.file("stdin")))[0]!.rgb).toEqual(pictureOf(2));
    // a picture that moves is a video
    const moving = folder.file("moving.png");
    const png = await readFile(folder.file("picture.png"));
    await writeFile(moving, Buffer.concat([png.subarray(0, 33), animation(), png.subarray(33)]));
    expect(await pictureSourceAt(moving)).toBeUndefined();
    expect(await pictureSourceAt(folder.file("picture.png"))).toMatchObject({ isUntimed: true });
  });

  test("that is cut off is told, and transparent places too", async () => {
    await using folder = await clipFolder();
    const input = folder.file("in.png");
    await writePng(input, pictureOf(1), WIDTH, HEIGHT);
    const whole = folder.file("whole.jpg");
    await writeOutput(await probeVideo(input), whole, readFrames(input));
    const bytes = await readFile(whole);
    await writeFile(folder.file("cut.jpg"), bytes.subarray(0, bytes.length / 2));
    await expect(probeVideo(folder.file("cut.jpg"))).rejects.toThrow(/cut\.jpg is cut off: get it/);
    const canvas = createCanvas(4, 4);
    canvas.getContext("2d").fillRect(0, 0, 2, 2);
    await writeFile(folder.file("holes.png"), await canvas.encode("png"));
    const info = await probeVideo(folder.file("holes.png"));
    expect(await checkOutput(info, folder.file("out.png"))).toEqual([
      "the transparency of holes.png is lost",
    ]);
  });
});

/** The chunk by which a PNG says that it has frames: one, forever. */
function animation(): Buffer {
  const body = Buffer.from("6163544c0000000100000000", "hex");
  const chunk = Buffer.alloc(4 + body.length + 4);
  chunk.writeUInt32BE(8);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), 4 + body.length);
  return chunk;
}

/** The JPEG with EXIF that says to turn it by a quarter, clockwise. */
function turnedByExif(jpeg: Buffer): Buffer {
  const tiff = "4d4d002a00000008000101120003000000010006000000000000";
  const body = Buffer.concat([Buffer.from("Exif\0\0"), Buffer.from(tiff, "hex")]);
  const head = Buffer.from([0xff, 0xe1, 0, body.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), head, body, jpeg.subarray(2)]);
}
