import { mkdir, readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  type ClipFolder,
  clipFolder,
  type ClipOptions,
  makeClip,
} from "../../../test/support/clips.ts";
import { checkOutput } from "./outputs.ts";
import { probeVideo } from "./probe.ts";
import { requireSound } from "./sound-check.ts";

let folder: ClipFolder;
beforeAll(async () => {
  folder = await clipFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

describe("the sound of a source", () => {
  test.each<[string, NonNullable<ClipOptions["audio"]>, string, string, string]>([
    ["aac.mp4", "aac", "webm", "WebM cannot hold the aac audio", ".mkv"],
    ["opus.webm", "libopus", "mov", "QuickTime cannot hold the opus audio", ".mkv"],
    ["opus.mkv", "libopus", "avi", "AVI cannot hold the opus audio", ".mkv"],
    // What an mp4 calls MP3, as it has one name for both, is found to be MP2 only when the file is read back.
    ["layer.mp4", "mp2", "mkv", "Matroska cannot hold the mp3 audio", ".mov"],
  ])("%s, %s, is refused by %s before an edit", async (name, audio, to, refusal, instead) => {
    await makeClip(folder.file(name), { audio });
    const before = await readdir(folder.path);
    const attempt = checkOutput(await probeVideo(folder.file(name)), folder.file(`out.${to}`));
    const message = `${refusal} of ${folder.file(name)}: write ${instead} instead.`;
    await expect(attempt).rejects.toMatchObject({ name: "UserError", message });
    expect(await readdir(folder.path)).toEqual(before);
  });

  test("is held by what is proposed", async () => {
    const path = folder.file("proposed.mp4");
    await makeClip(path, { audio: "mp2" });
    expect(await checkOutput(await probeVideo(path), folder.file("out.mov"))).toEqual([]);
  });

  test("is proposed a file that holds the codec of the pictures, too", async () => {
    const path = folder.file("prores.mkv");
    await makeClip(path, { audio: "libopus" });
    const attempt = requireSound(await probeVideo(path), "out.mov", { codec: "prores" });
    await expect(attempt).rejects.toThrow(/: write \.mkv instead\.$/);
  });

  test("is tried in a place that is empty again", async () => {
    const path = folder.file("plain.mp4");
    await makeClip(path, { audio: "aac" });
    await mkdir(folder.file("tmp"));
    vi.stubEnv("TMPDIR", folder.file("tmp"));
    await requireSound(await probeVideo(path), folder.file("out.mp4"));
    vi.unstubAllEnvs();
    expect(await readdir(folder.file("tmp"))).toEqual([]);
  });

  test("is not blamed for pictures that a file cannot hold", async () => {
    const path = folder.file("uneven.mp4");
    await makeClip(path, { ticks: [0, 512, 2048], audio: "aac" });
    const [source, output] = [await probeVideo(path), folder.file("uneven.avi")];
    await expect(checkOutput(source, output)).rejects.not.toThrow(/audio/);
    await requireSound(source, output);
  });

  test("is not asked for where the output has none", async () => {
    const path = folder.file("silent.mkv");
    await makeClip(path, { audio: "libopus" });
    await requireSound(await probeVideo(path), folder.file("out.gif"));
  });
});
