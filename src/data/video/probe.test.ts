import { mkdir, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ClipFolder,
  clipFolder,
  makeAudioOnly,
  makeClip,
} from "../../../test/support/clips.ts";
import { displayMatrixOf } from "../../../test/support/display-matrix.ts";
import { probeVideo } from "./probe.ts";
import { readFrames } from "./reader.ts";
import { writeVideo } from "./writer.ts";

let folder: ClipFolder;
beforeAll(async () => {
  folder = await clipFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

describe("probeVideo", () => {
  test.each(["mp4", "mov", "mkv", "webm", "avi", "gif"])(
    "reads size and timing of %s",
    async (type) => {
      const path = folder.file(`plain.${type}`);
      await makeClip(path);
      const info = await probeVideo(path);
      expect(info).toMatchObject({
        width: 64,
        height: 48,
        frames: 12,
        rotation: 0,
        hasAudio: false,
      });
      expect(info.averageFps).toBeCloseTo(25, 6);
      expect(info.durationSeconds).toBeCloseTo(0.48, 6);
      expect(info.variableFrameRate).toBe(false);
    },
  );

  test("tells the codecs and the container", async () => {
    const path = folder.file("sound.mkv");
    await makeClip(path, { audio: "aac" });
    const info = await probeVideo(path);
    expect(info).toMatchObject({ codec: "h264", container: "matroska,webm", hasAudio: true });
    expect(info.audioCodecs).toEqual(["aac"]);
  });

  test.each([90, 180, 270] as const)("shows a picture turned by %i degrees", async (rotation) => {
    const path = folder.file(`turned-${rotation}.mp4`);
    await makeClip(path, { displayMatrix: displayMatrixOf({ rotation, mirrored: false }) });
    const info = await probeVideo(path);
    const isSideways = rotation !== 180;
    expect(info).toMatchObject({ rotation, mirrored: false, codedWidth: 64, codedHeight: 48 });
    expect([info.width, info.height]).toEqual(isSideways ? [48, 64] : [64, 48]);
  });

  test("notices a variable frame rate and the stream's true end", async () => {
    const path = folder.file("variable.mp4");
    await makeClip(path, { ticks: [0, 512, 1000, 2500, 2600, 5000, 5512, 9000, 12_288] });
    const info = await probeVideo(path);
    expect(info.variableFrameRate).toBe(true);
    expect(info.durationSeconds).toBeCloseTo(1, 6);
  });
});

describe("what is no readable video", () => {
  test("is refused in one sentence each", async () => {
    const bad = await makeBadFiles();
    for (const [name, sentence] of bad) {
      const path = folder.file(name);
      const refusal = { name: "UserError", message: expect.stringMatching(sentence) };
      await expect(probeVideo(path), name).rejects.toMatchObject(refusal);
      await expect(readFrames(path).next(), name).rejects.toMatchObject(refusal);
    }
  });

  test.each(["mp4", "mkv", "webm", "avi"])(
    "a %s cut off midway is refused before any work",
    async (type) => {
      const path = folder.file(`cut.${type}`);
      await writeFile(path, (await noiseFile(type)).subarray(0, -8000));
      await expect(probeVideo(path)).rejects.toMatchObject({
        name: "DataError",
        message: expect.stringMatching(/^cut\.\w+ is (damaged or )?cut off/),
      });
    },
  );

  test.each(["mp4", "gif"])("a %s whose stream breaks names the frame", async (type) => {
    const bytes = await noiseFile(type);
    bytes.fill(0x5a, Math.round(bytes.length * 0.5), Math.round(bytes.length * 0.6));
    const path = folder.file(`broken.${type}`);
    await writeFile(path, bytes);
    const reading = (async () => {
      for await (const frame of readFrames(path)) expect(frame.index).toBeLessThan(12);
    })();
    await expect(reading).rejects.toMatchObject({
      name: "DataError",
      message: expect.stringMatching(/^broken\.\w+ is damaged after \d frames: /),
    });
  });
});

/** File names and the sentence that each must be refused with. */
async function makeBadFiles(): Promise<readonly (readonly [string, RegExp])[]> {
  await writeFile(folder.file("empty.mp4"), "");
  await writeFile(folder.file("text.mp4"), "This is no video.\n".repeat(200));
  await writeFile(folder.file("text.txt"), "This is no video.\n".repeat(200));
  await writeFile(folder.file("list.m3u8"), "#EXTM3U\n#EXTINF:1,\nplain.mp4\n#EXT-X-ENDLIST\n");
  await mkdir(folder.file("folder.mp4"));
  await makeAudioOnly(folder.file("sound.m4a"));
  const whole = await noiseFile("mp4");
  await writeFile(folder.file("header.mp4"), whole.subarray(0, 40));
  const index = whole.indexOf("moov");
  whole.write("none", index);
  await writeFile(folder.file("no-index.mp4"), whole);
  return [
    ["missing.mp4", /^There is no file .*missing\.mp4: check the path\.$/],
    ["empty.mp4", /empty\.mp4 is empty \(0 bytes\): give a video file\.$/],
    ["folder.mp4", /folder\.mp4 holds no picture: give a video, or a folder of PNG or JPEG\.$/],
    ["text.mp4", /^text\.mp4 is not a video: give a file such as .*\.$/],
    ["text.txt", /^text\.txt is not a video: give a file such as .*\.$/],
    ["list.m3u8", /^list\.m3u8 is not a video: give a file such as .*\.$/],
    ["sound.m4a", /^sound\.m4a has only audio, no picture to edit: give a video file\.$/],
    ["header.mp4", /^header\.mp4 is cut off or damaged: .*\.$/],
    ["no-index.mp4", /^no-index\.mp4 is cut off or damaged: .*\.$/],
  ];
}

/** Twelve pictures of noise: hard to compress, so that any part of the file is a picture's. */
async function noiseFile(type: string): Promise<Buffer> {
  const path = folder.file(`noise.${type}`);
  const size = { width: 64, height: 48 };
  const pictures = Array.from({ length: 12 }, (_, index) => noise(64 * 48 * 3, index + 1));
  await writeVideo(path, pictures, {
    ...size,
    fps: 25,
    encoderOptions: type === "mp4" ? { bf: "0" } : {},
  });
  return readFile(path);
}

function noise(length: number, seed: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state >> 16;
  });
}
