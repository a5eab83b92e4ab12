import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Decoder, Demuxer } from "node-av/api";
import { AV_CODEC_ID_AAC } from "node-av/constants";
import { describe, expect, test } from "vitest";
import { makeClip } from "../../../test/support/clips.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { ComparisonPage } from "./comparison-page.ts";

const folder = temporaryFolder();
const size = { width: 16, height: 16 };
const timeBase = { num: 1, den: 1000 };
/** Two seconds of 25 pictures, in ticks of clips. */
const ticks = Array.from({ length: 50 }, (_, index) => index * 512);

/** The video of a page of pictures from `start` to `end`, in milliseconds, 40 apart, with the sound of a file. */
async function pageVideo(soundFrom: string, start: number, end: number): Promise<string> {
  const path = join(folder, "page.html");
  const source = new Uint8Array(16 * 16 * 3).fill(90);
  const frameRate = { num: 25, den: 1 };
  {
    const video = { ...size, pixelAspect: 1, startSeconds: 0, frameRate, soundFrom };
    await using page = new ComparisonPage(path, video);
    for (let tick = start; tick < end; tick += 40) {
      const times = { pts: BigInt(tick), duration: 40n, timeBase };
      await page.add({ index: tick / 40, ...times, source, rgb: source });
    }
    await page.write({ instructions: ["x"], origin: "", figures: [], groups: [], receipt: null });
  }
  const html = readFileSync(path, "utf8");
  const pieces = [...html.matchAll(/class="media">([^<]*)</g)].map(([, text]) => text!);
  const media = join(folder, "page.mp4");
  writeFileSync(media, Buffer.concat(pieces.map((text) => Buffer.from(text, "base64"))));
  expect(html).toContain(`"hasSound":${(await soundOf(media)) !== null}`);
  return media;
}

/** What is heard of a file, the left channel by sample of 48 kHz from the first picture on; null without. */
async function soundOf(path: string): Promise<Float64Array | null> {
  await using input = await Demuxer.open(path);
  const stream = input.audio();
  if (!stream) return null;
  expect(stream.codecpar.codecId).toBe(AV_CODEC_ID_AAC);
  using decoder = await Decoder.create(stream);
  const heard: number[] = [];
  for await (using frame of decoder.frames(input.packets(stream.index))) {
    if (!frame) break;
    const bytes = frame.extendedData![0]!;
    for (let at = 0; at < frame.nbSamples; at++)
      heard[Number(frame.pts) + at] = bytes.readFloatLE(at * 4);
  }
  return Float64Array.from(heard);
}

/** How much of the clips' tone of 440 Hz is in a sound, by where in its course a second of the source begins. */
function toneShare(sound: Float64Array, fromSeconds: number): number {
  const [from, to] = [4800, sound.length - 4800];
  let [product, own, power] = [0, 0, 0];
  for (let at = from; at < to; at++) {
    const tone = Math.sin(2 * Math.PI * 440 * (at / 48_000 + fromSeconds));
    product += tone * sound[at]!;
    own += tone * tone;
    power += sound[at]! ** 2;
  }
  return product / Math.sqrt(own * power);
}

describe("the sound of a page", () => {
  test.each([
    ["aac.mp4", "aac"],
    ["ac3.mkv", "ac3"],
    ["opus.webm", "libopus"],
    ["mp2.mkv", "mp2"],
  ] as const)("is that of the pictures, from the first to the last (%s)", async (name, audio) => {
    const clip = join(folder, name);
    await makeClip(clip, { ticks, audio });
    const sound = (await soundOf(await pageVideo(clip, 480, 1480)))!;
    expect(Math.abs(sound.length / 48_000 - 1)).toBeLessThan(0.03);
    expect(toneShare(sound, 0.48)).toBeGreaterThan(0.99);
    expect(toneShare(sound, 0)).toBeLessThan(0.6);
  });

  test("begins where the source is entered, far from its beginning, too", async () => {
    const clip = join(folder, "long.mp4");
    await makeClip(clip, { ticks: Array.from({ length: 150 }, (_, at) => at * 512), audio: "aac" });
    const sound = (await soundOf(await pageVideo(clip, 4720, 5720)))!;
    expect(toneShare(sound, 4.72)).toBeGreaterThan(0.99);
    expect(toneShare(sound, 4.72 - 1 / 1760)).toBeLessThan(0.1);
  });

  test("is none where the source has none, or ends before", async () => {
    const silent = join(folder, "silent.mp4");
    await makeClip(silent, { ticks });
    expect(await soundOf(await pageVideo(silent, 0, 400))).toBeNull();
    const short = join(folder, "short.mp4");
    await makeClip(short, { ticks, audio: "aac" });
    expect(await soundOf(await pageVideo(short, 60_000, 60_400))).toBeNull();
  });
});
