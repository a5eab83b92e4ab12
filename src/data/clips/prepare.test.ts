import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { UserError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { fastType } from "../../engine/settings.ts";
import { Autoencoder } from "../../models/vae/autoencoder.ts";
import { clipFolder, framesOf, makeAudioOnly, makeClip } from "../../../test/support/clips.ts";
import { relativeError } from "../../../test/support/difference.ts";
import { folderContent } from "../../../test/support/folder-content.ts";
import { preparer, skippedOf, type Prepared } from "../../../test/support/preparer.ts";
import { SMALL_AUTOENCODER } from "../../../test/support/small-model.ts";
import { readPicture } from "../image/read-picture.ts";
import { encodeFrames } from "../caches/encode-frames.ts";
import { readShards } from "../caches/shards.ts";
import { fitFrame } from "../video/fit.ts";
import { dataFiles, readClips, readSettings, stripPath, type ClipSettings } from "./dataset.ts";
import {
  planPreparation,
  prepareClips,
  type PrepareEvent,
  type PrepareOptions,
} from "./prepare.ts";

const folder = await clipFolder();
afterAll(async () => folder[Symbol.asyncDispose]());
const autoencoder = new Autoencoder(Rng.seed(1), SMALL_AUTOENCODER);
const settings: ClipSettings = {
  format: 1,
  model: "small",
  autoencoder: "abc",
  frames: 3,
  size: 32,
  stride: 2,
  clipsPerVideo: 2,
};

/** Videos of twelve frames that all look different, being of different shape. */
const videos = ["a.mp4", "b.mp4", "c.mp4", "d.mp4"].map((name) => folder.file(name));
beforeAll(async () => {
  const shapes = [
    [64, 48],
    [48, 64],
    [64, 64],
    [80, 32],
  ] as const;
  for (const [index, [width, height]] of shapes.entries())
    await makeClip(videos[index]!, { width, height });
});

const prepared = preparer(folder, { videos, settings, autoencoder });

describe("prepared clips", () => {
  test("are latents of fitted frames, with a record and a strip of each", async () => {
    await prepared("plain");
    const { clips } = readClips(folder.file("plain"));
    expect(clips).toHaveLength(8);
    const { sha256, ...second } = clips[1]!;
    expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(second).toEqual({
      index: 1,
      source: "../a.mp4",
      bytes: readFileSync(videos[0]!).length,
      clip: 1,
      clips: 2,
      start: 0.24,
      end: 0.4,
      fps: 25,
      width: 64,
      height: 48,
      precision: fastType("cpu"),
      shard: "0000000-8",
      row: 1,
      caption: "",
    });
    const shown = (await framesOf(videos[0]!)).filter(({ index }) => [6, 8, 10].includes(index));
    const fitted = shown.map((frame) => fitFrame(frame.rgb, frame, 32));
    const wanted = encodeFrames(autoencoder, fitted, 32);
    const latents = readShards(dataFiles(folder.file("plain")).latents, z.unknown());
    const stored = latents.gather("clip", [1]).select(0, 0);
    expect(relativeError(stored, wanted)).toBeLessThan(2 ** -11); // float16 rounds by half of 2^-10

    const strip = await readPicture(stripPath(folder.file("plain"), 1));
    expect([strip.width, strip.height]).toEqual([3 * 32 + 2 * 2, 32]);
    for (const [place, frame] of fitted.entries()) {
      const middle = (16 * strip.width + place * 34 + 16) * 3;
      const wantedColour = frame.subarray((16 * 32 + 16) * 3, (16 * 32 + 16) * 3 + 3);
      const differences = wantedColour.map((value, c) => Math.abs(value - strip.rgb[middle + c]!));
      expect(Math.max(...differences)).toBeLessThan(12); // JPEG
    }
    expect(existsSync(dataFiles(folder.file("plain")).sheet)).toBe(true);
  });

  test("show pixels that are no squares in their shape, resized once", async () => {
    const shapes = [
      { aspect: { num: 2, den: 1 }, wanted: [128, 48] },
      { aspect: { num: 3, den: 4 }, wanted: [64, 64] },
    ] as const;
    for (const { aspect, wanted } of shapes) {
      const video = folder.file(`aspect-${aspect.num}.mp4`);
      await makeClip(video, { width: 64, height: 48, sampleAspectRatio: aspect });
      const name = `aspect-${aspect.num}`;
      let seen: Uint8Array | undefined;
      const encode: PrepareOptions["encode"] = (frames, size) => {
        seen ??= frames[0];
        return encodeFrames(autoencoder, frames, size);
      };
      await prepared(name, { videos: [video], encode });
      const [clip] = readClips(folder.file(name)).clips;
      const [width, height] = wanted;
      expect(clip).toMatchObject({ width, height });
      const stored = (await framesOf(video))[clip!.start * 25]!;
      const pixelAspect = aspect.num / aspect.den;
      expect(seen).toEqual(fitFrame(stored.rgb, { width: 64, height: 48, pixelAspect }, 32));
    }
  });

  test("are made once: a second run encodes nothing, and a new video alone is added", async () => {
    const before = folderContent(folder.file("plain"));
    const again = await prepared("plain");
    expect(again.encoded).toBe(0);
    expect(folderContent(folder.file("plain"))).toEqual(before);
    const extra = folder.file("0-first-by-name.mp4");
    await makeClip(extra, { width: 96, height: 32 });
    const more = await prepared("plain", { videos: [extra, ...videos] });
    expect(more.encoded).toBe(2);
    const { clips } = readClips(folder.file("plain"));
    expect(clips.map(({ shard }) => shard).slice(7)).toEqual([
      "0000000-8",
      "0000008-2",
      "0000008-2",
    ]);
    expect(readShards(dataFiles(folder.file("plain")).latents, z.unknown()).count).toBe(10);
  });

  test("of a run that was stopped and repeated are the same files, byte by byte", async () => {
    const many = { settings: { ...settings, frames: 1, stride: 1, clipsPerVideo: 12 } };
    const straight = await prepared("straight", many);
    expect(straight.encoded).toBe(48);
    const isThird = (event: PrepareEvent) => event.type === "video-done" && event.done === 3;
    const first = await prepared("stopped", many, isThird);
    expect(first.events.at(-1)).toMatchObject({ type: "video-done", clips: 36 });
    expect(existsSync(dataFiles(folder.file("stopped")).clips)).toBe(false);
    const { signal } = new AbortController();
    const plan = { folder: folder.file("stopped"), videos, settings: many.settings, signal };
    expect(await planPreparation(plan)).toMatchObject({ clips: 48, missing: 12 });
    const rest = await prepared("stopped", many);
    expect(rest.events[0]).toMatchObject({ kept: 36 });
    expect(rest.encoded).toBe(48 - 36);
    expect(folderContent(folder.file("stopped"))).toEqual(folderContent(folder.file("straight")));
  });

  test("are kept though a run is stopped again and again before a shard is full", async () => {
    const whole = await prepared("whole");
    expect(whole.encoded).toBe(8);
    for (const done of [1, 2, 3, 4]) {
      const isNext = (event: PrepareEvent) => event.type === "video-done" && event.done === done;
      expect((await prepared("halting", {}, isNext)).encoded).toBe(2);
    }
    expect((await prepared("halting")).encoded).toBe(0);
    expect(folderContent(folder.file("halting"))).toEqual(folderContent(folder.file("whole")));
    const other = { ...settings, frames: 4 };
    await prepared("decided", {}, ({ type }) => type === "video-done");
    await expect(prepared("decided", { settings: other })).rejects.toThrow(/were made with frames/);
  });

  test("say what they were encoded in; where that differs, it is told once and both are kept", async () => {
    const [first, ...others] = videos;
    await prepared("precise", { videos: [first!] });
    const [now, before] =
      fastType("cpu") === "float32" ? ["float32", "bfloat16"] : ["bfloat16", "float32"];
    const texts = join(dataFiles(folder.file("precise")).latents, "0000000-2.json");
    writeFileSync(texts, readFileSync(texts, "utf8").replaceAll(now, before));
    const warnings = (run: Prepared) =>
      run.events.flatMap((event) => (event.type === "precision-warning" ? [event.message] : []));
    const [warning, ...more] = warnings(await prepared("precise", { videos: [first!, ...others] }));
    expect(more).toEqual([]);
    expect(warning).toMatch(
      new RegExp(`that were there are encoded in ${before}, and new ones in ${now}, as this`),
    );
    const { clips } = readClips(folder.file("precise"));
    expect(clips.map(({ precision }) => precision)).toEqual([
      ...Array.from({ length: 2 }, () => before),
      ...Array.from({ length: 6 }, () => now),
    ]);
    expect(warnings(await prepared("precise"))).toEqual([]);
  });

  test("of a data set that does not say what they were encoded in are taken as they are", async () => {
    await prepared("silent", { videos: videos.slice(0, 1) });
    const texts = join(dataFiles(folder.file("silent")).latents, "0000000-2.json");
    const said = `,"precision":"${fastType("cpu")}"`;
    expect(readFileSync(texts, "utf8")).toContain(said);
    writeFileSync(texts, readFileSync(texts, "utf8").replaceAll(said, ""));
    const run = await prepared("silent");
    expect(run.encoded).toBe(6);
    expect(run.events.some(({ type }) => type === "precision-warning")).toBe(false);
    const { clips } = readClips(folder.file("silent"));
    expect(clips.filter(({ precision }) => precision === undefined)).toHaveLength(2);
  });

  test("are kept after a while, for a run that is killed", async () => {
    const { signal } = new AbortController();
    const encode: PrepareOptions["encode"] = (frames, size) =>
      encodeFrames(autoencoder, frames, size);
    const options = { folder: folder.file("killed"), videos, settings, encode, signal };
    const run = prepareClips({ ...options, keepEvery: 0 });
    while ((await run.next()).value?.type !== "video-done"); // and never goes on
    expect((await prepared("killed")).encoded).toBe(6);
    expect(folderContent(folder.file("killed"))).toEqual(folderContent(folder.file("whole")));
  });
});

describe("what cannot be used", () => {
  test("is skipped with a line each, and the rest is made", async () => {
    const bad = (name: string) => folder.file(join("bad", name));
    mkdirSync(folder.file("bad"));
    writeFileSync(bad("text.mp4"), "no video at all");
    writeFileSync(bad("empty.mp4"), "");
    await makeAudioOnly(bad("sound.mp4"));
    await makeClip(bad("short.mp4"), { ticks: [0, 512, 1024, 1536] });
    const whole = readFileSync(videos[0]!);
    writeFileSync(bad("cut.mp4"), whole.subarray(0, whole.length / 3));
    writeFileSync(bad("copy.mp4"), whole);
    const names = ["text", "empty", "sound", "short", "cut", "copy", "gone"];
    const run = await prepared("mixed", {
      videos: [videos[0]!, ...names.map((name) => bad(`${name}.mp4`))],
    });
    expect(skippedOf(run)).toEqual([
      expect.stringMatching(/^text\.mp4: text\.mp4 is not a video/),
      expect.stringMatching(/^empty\.mp4: .*is empty/),
      expect.stringMatching(/^sound\.mp4: .*only audio/),
      "short.mp4: too short: 4 frames, a clip of 3 with stride 2 takes 5",
      expect.stringMatching(/^cut\.mp4: .*(cut off|damaged)/),
      "copy.mp4: clip 1 shows the very pictures of ../a.mp4",
      "copy.mp4: clip 2 shows the very pictures of ../a.mp4#2",
      expect.stringMatching(/^gone\.mp4: There is no file/),
    ]);
    expect(run.events.at(-1)).toMatchObject({ type: "prepared", clips: 2, added: 2, skipped: 8 });
    const lines = readFileSync(dataFiles(folder.file("mixed")).skipped, "utf8")
      .trim()
      .split("\n");
    expect(lines).toHaveLength(8);
  });

  test("may be a video that has changed since: its clips stay, and that is told", async () => {
    const video = folder.file("changing.mp4");
    await makeClip(video, { width: 72, height: 56 });
    await prepared("changing", { videos: [video] });
    appendFileSync(video, Buffer.alloc(8));
    const run = await prepared("changing", { videos: [video] });
    expect(skippedOf(run)).toEqual([
      "changing.mp4: has changed since its clips were made: they stay; prepare into a new folder",
    ]);
    expect(readClips(folder.file("changing")).clips).toHaveLength(2);
  });

  test("may be everything: the folder then has no clips, and says so to whoever wants some", async () => {
    const run = await prepared("nothing", { videos: [folder.file("bad/text.mp4")] });
    expect(run.events.at(-1)).toMatchObject({ clips: 0, sheet: null });
    expect(() => readClips(folder.file("nothing"))).toThrow(
      /expected prepared clips in .*nothing, found none: make them with "\.\/eve data prepare/,
    );
  });
});

describe("captions", () => {
  const captionsOf = (name: string) =>
    readClips(folder.file(name)).clips.map(({ caption }) => caption);

  test("come from a file, else from beside the video; those without are named", async () => {
    writeFileSync(folder.file("a.txt"), "a flat colour");
    writeFileSync(folder.file("b.txt"), "a tall one");
    const captions = [{ row: 1, clip: "a.mp4#2", caption: "a later colour" }];
    const { events } = await prepared("told", { captions });
    expect(captionsOf("told")).toEqual([
      "a flat colour",
      "a later colour",
      "a tall one",
      "a tall one",
      "",
      "",
      "",
      "",
    ]);
    expect(events.at(-1)).toMatchObject({
      withoutCaption: ["../c.mp4", "../c.mp4#2", "../d.mp4", "../d.mp4#2"],
    });
  });

  test("may come later, and stay when nothing else is said", async () => {
    const captions = [{ row: 1, clip: "d", caption: "a wide one" }];
    const later = await prepared("told", { captions });
    expect(later.encoded).toBe(0);
    await prepared("told");
    expect(captionsOf("told").slice(1, 8)).toEqual([
      "a flat colour",
      "a tall one",
      "a tall one",
      "",
      "",
      "a wide one",
      "a wide one",
    ]);
  });

  test("that fit two videos are refused before anything is encoded", async () => {
    const twins = [videos[0]!, folder.file("bad/copy.mp4"), folder.file("copy.mp4")];
    const captions = [{ row: 1, clip: "copy.mp4", caption: "which" }];
    await expect(prepared("twins", { videos: twins, captions })).rejects.toThrow(
      /row 1: "copy\.mp4" fits/,
    );
    expect(existsSync(dataFiles(folder.file("twins")).settings)).toBe(false);
  });
});

describe("a folder", () => {
  test("with clips of other settings is refused, whichever they are", async () => {
    const other = { ...settings, frames: 4, size: 64 };
    await expect(prepared("plain", { settings: other })).rejects.toThrow(
      new UserError(
        `the clips in ${folder.file("plain")} were made with frames 3, now asked for 4; size 32, now asked for 64: give the same settings, or another --out`,
      ),
    );
  });

  test.each([
    { autoencoder: "another" },
    { stride: 1 },
    { clipsPerVideo: 1 },
    { model: "another" },
  ])("with clips of other settings is refused by each of them: %j", async (own) => {
    const [name] = Object.keys(own);
    await expect(prepared("plain", { settings: { ...settings, ...own } })).rejects.toThrow(
      new RegExp(`were made with ${name} \\w+, now asked for`),
    );
  });

  test("in which no clip was made yet takes other settings", async () => {
    const none = { videos: [folder.file("bad/text.mp4")] };
    await prepared("undecided", none);
    const other = { ...settings, frames: 4 };
    await prepared("undecided", { ...none, settings: other });
    expect(readSettings(folder.file("undecided"))).toEqual(other);
  });

  test("with other files is refused", async () => {
    mkdirSync(folder.file("taken"));
    writeFileSync(folder.file("taken/thesis.doc"), "");
    await expect(prepared("taken")).rejects.toThrow(
      /taken holds other files \(thesis\.doc\) and no prepared clips: give an empty or a new folder/,
    );
  });

  test("is not touched by planning, which counts the same clips", async () => {
    const { signal } = new AbortController();
    const common = { folder: folder.file("planned"), videos, settings, signal };
    expect(await planPreparation(common)).toEqual({
      videos: 4,
      clips: 8,
      missing: 8,
      skipped: [],
    });
    expect(existsSync(folder.file("planned"))).toBe(false);
    const existing = { ...common, folder: folder.file("plain") };
    expect(await planPreparation(existing)).toMatchObject({ clips: 10, missing: 0 });
  });
});
