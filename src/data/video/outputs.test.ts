import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadImage } from "@napi-rs/canvas";
import { z } from "zod";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ClipFolder, clipFolder, clipPicture, makeClip } from "../../../test/support/clips.ts";
import { displayMatrixOf } from "../../../test/support/display-matrix.ts";
import { checkOutput, writeOutput } from "./outputs.ts";
import { tgveFolder } from "./picture-folder.ts";
import { probeVideo, type FileInfo } from "./probe.ts";
import { type DecodedFrame, readFrames } from "./reader.ts";

const ticks = [0, 512, 1000, 2500, 2600];
let folder: ClipFolder;
let source: FileInfo;
beforeAll(async () => {
  folder = await clipFolder();
  const path = folder.file("clip.mp4");
  const displayMatrix = displayMatrixOf({ rotation: 90, mirrored: false });
  await makeClip(path, { ticks, audio: "aac", displayMatrix });
  source = await probeVideo(path);
});
afterAll(() => folder[Symbol.asyncDispose]());

const Times = z.object({ frames: z.array(z.object({ file: z.string(), pts: z.string() })) });

describe("a folder of pictures", () => {
  test("holds numbered PNG files, upright, and when each is shown", async () => {
    const output = `${folder.file("png")}/`;
    expect(await checkOutput(source, output)).toEqual([
      "a folder of pictures has no sound: the audio of clip.mp4 is left out",
    ]);
    const written = await writeOutput(source, output, readFrames(source.path));
    expect(written).toMatchObject({ path: output, frames: 5, audioStreams: 0 });
    const pictures = ticks.map((_, index) => `00000${index + 1}.png`);
    expect((await readdir(output)).toSorted()).toEqual([
      ...pictures,
      "frames.ffconcat",
      "frames.json",
    ]);
    const image = await loadImage(join(output, "000001.png"));
    expect([image.width, image.height]).toEqual([48, 64]);
    const times = Times.parse(JSON.parse(await readFile(join(output, "frames.json"), "utf8")));
    expect(times.frames.map(({ pts }) => Number(pts))).toEqual(ticks);
    const list = await readFile(join(output, "frames.ffconcat"), "utf8");
    expect(list.split("\n").slice(0, 3)).toEqual([
      "ffconcat version 1.0",
      "file 000001.png",
      "duration 0.040000",
    ]);
  });

  test("says what else of a source it cannot hold, as a file does", async () => {
    const path = folder.file("rich.mkv");
    await makeClip(path, { codec: "prores", subtitles: ["one"] });
    const chapters = [{ start: 0n, end: null, title: "One" }];
    expect(
      await checkOutput({ ...(await probeVideo(path)), chapters }, folder.file("rich/")),
    ).toEqual([
      "rich.mkv has 10 bits a channel: it is edited with 8 bits, its colour tags are left out",
      "a folder of pictures cannot hold subrip subtitles: they are left out",
      "a folder of pictures has no chapters: those of rich.mkv are left out",
    ]);
  });

  test("is laid out for TGVE as numbered JPEG files and nothing else", async () => {
    const output = tgveFolder(folder.file("root"), "DAVIS_480p", "videos/bear.mp4", "style");
    expect(output).toBe(`${folder.file("root/DAVIS_480p/bear/style")}/`);
    await writeOutput(source, output, readFrames(source.path), { pictures: "tgve" });
    expect((await readdir(output)).toSorted()).toEqual(ticks.map((_, index) => `0000${index}.jpg`));
    const image = await loadImage(join(output, "00000.jpg"));
    expect([image.width, image.height]).toEqual([48, 64]);
  });

  test("keeps the pixels of a PNG exactly", async () => {
    const path = folder.file("flat.mkv");
    await makeClip(path, { codec: "ffv1", ticks: [0, 512] });
    const output = `${folder.file("exact")}/`;
    await writeOutput(await probeVideo(path), output, readFrames(path));
    const again: Uint8Array[] = [];
    for (const name of ["000001.png", "000002.png"]) again.push(await pixelsOf(join(output, name)));
    expect(again).toEqual([clipPicture(0, 64, 48), clipPicture(1, 64, 48)]);
  });

  test("replaces the pictures of an earlier edit, and nothing else", async () => {
    const output = `${folder.file("again")}/`;
    await writeOutput(source, output, readFrames(source.path));
    await writeOutput(source, output, twoFrames());
    expect(await readdir(output)).toHaveLength(4);
    await writeFile(join(output, "thesis.txt"), "years of work");
    await expect(checkOutput(source, output)).rejects.toThrow(
      /^The folder .*again\/ holds thesis\.txt, which is no picture of an edit: choose an empty or a new one\.$/,
    );
  });

  test("is refused a codec, and a file is refused a layout", async () => {
    await expect(checkOutput(source, `${folder.file("p")}/`, { codec: "h264" })).rejects.toThrow(
      /is a folder of pictures, which have no video codec: leave out codec and quality\.$/,
    );
    await expect(checkOutput(source, folder.file("p.mp4"), { pictures: "tgve" })).rejects.toThrow(
      /is one file: end it with \/ for a folder of pictures\.$/,
    );
    await expect(checkOutput(source, `${source.path}/`)).rejects.toThrow(
      /clip\.mp4\/ is not a folder: /,
    );
  });

  test("leaves nothing of an edit that stops, not even the folders above it", async () => {
    await mkdir(folder.file("empty"));
    const before = await readdir(folder.path);
    const attempt = writeOutput(source, `${folder.file("empty/a/b/c")}/`, failing());
    await expect(attempt).rejects.toThrow("stopped");
    expect(await readdir(folder.file("empty"))).toEqual([]);
    expect(await readdir(folder.path)).toEqual(before);
  });

  test("that stops leaves what another edit has written beside it meanwhile", async () => {
    const neighbour = folder.file("tgve/set/b/style");
    async function* afterNeighbour(): AsyncGenerator<DecodedFrame> {
      await mkdir(neighbour, { recursive: true });
      yield* failing();
    }
    const output = tgveFolder(folder.file("tgve"), "set", "a.mp4", "style");
    await expect(writeOutput(source, output, afterNeighbour())).rejects.toThrow("stopped");
    expect(await readdir(folder.file("tgve/set"))).toEqual(["b"]);
    expect(await readdir(neighbour)).toEqual([]);
  });
});

async function pixelsOf(path: string): Promise<Uint8Array> {
  const { createCanvas } = await import("@napi-rs/canvas");
  const image = await loadImage(path);
  const context = createCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  return Uint8Array.from(data.filter((_, at) => at % 4 !== 3));
}

async function* twoFrames(): AsyncGenerator<DecodedFrame> {
  for await (const frame of readFrames(source.path)) {
    if (frame.index < 2) yield frame;
  }
}

async function* failing(): AsyncGenerator<DecodedFrame> {
  yield* twoFrames();
  throw new Error("stopped");
}
