import { spawnSync } from "node:child_process";
import { readdir, rm, truncate } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { failureOf } from "../../src/cli/failure.ts";
import { chooseEncoding, containerFor } from "../../src/data/video/containers.ts";
import { requireSpace } from "../../src/data/output-file.ts";
import { newColour } from "../../src/data/video/output-plan.ts";
import { VideoOutput } from "../../src/data/video/output.ts";
import { probeVideo } from "../../src/data/video/probe.ts";
import { readFrames } from "../../src/data/video/reader.ts";
import { Editor } from "../../src/editing/editor.ts";
import { type ClipFolder, clipFolder, makeClip } from "../support/clips.ts";
import { copyingModel } from "../support/copying-model.ts";

// What happens to the files while an edit runs: none of it may leave half a file behind.

let folder: ClipFolder;
const long = Array.from({ length: 60 }, (_, index) => index * 512);
beforeAll(async () => {
  folder = await clipFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

describe("an input that changes while it is read", () => {
  test("is read to its end where it is deleted", async () => {
    const name = "deleted.mp4";
    await makeClip(folder.file(name), { ticks: long, audio: "aac" });
    let frames = 0;
    const onFrame = async (): Promise<void> => {
      if (frames++ === 3) await rm(folder.file(name));
    };
    const options = { output: folder.file("kept.mp4"), steps: 1, onFrame };
    await new Editor(copyingModel()).edit(folder.file(name), "copy", options).result;
    expect(frames).toBe(60);
    expect(await probeVideo(folder.file("kept.mp4"))).toMatchObject({ frames: 60 });
  });

  test("is one sentence where it was deleted before", async () => {
    const frames = readFrames(folder.file("never.mp4"));
    await expect(frames.next()).rejects.toThrow(
      /^There is no file .*never\.mp4: check the path\.$/,
    );
  });

  test("is one sentence where it is cut off", async () => {
    const name = "shrinking.mp4";
    await makeClip(folder.file(name), {
      width: 320,
      height: 240,
      ticks: long,
      quality: "lossless",
    });
    const before = await readdir(folder.path);
    const sentence = await (async () => {
      try {
        for await (const { index } of readFrames(folder.file(name))) {
          if (index === 3) await truncate(folder.file(name), 9000);
        }
        return "";
      } catch (error) {
        return failureOf(error, { debug: false }).text;
      }
    })();
    expect(sentence).toMatch(/^eve: shrinking\.mp4 is damaged after \d+ frames: /);
    expect(await readdir(folder.path)).toEqual(before);
  });
});

describe("a full disk", () => {
  test("is told by what FFmpeg says of it", async () => {
    const container = containerFor("full.mkv");
    const size = { width: 64, height: 48 };
    const encoding = chooseEncoding(container, {}, size);
    const one = { num: 1, den: 1 };
    const picture = {
      ...size,
      colour: newColour(encoding),
      frameRate: { num: 25, den: 1 },
      timeBase: { num: 1, den: 25 },
      sampleAspectRatio: one,
      displayMatrix: null,
    };
    // A device of Linux that is always full.
    const attempt = requireSpace("full.mkv", async () => {
      await using video = await VideoOutput.create("/dev/full", { container, encoding, picture });
      await video.begin({});
      for (let index = 0n; index < 50n; index++)
        await video.write(
          new Uint8Array(64 * 48 * 3).map((_, at) => at * at),
          index,
          1n,
        );
      await video.finish();
    });
    await expect(attempt).rejects.toThrow(
      /^There is no space left for full\.mkv: free some, or write into another folder\.$/,
    );
  });

  const small = folderOfBytes();
  test.skipIf(!small)("leaves no file behind", { timeout: 60_000 }, async () => {
    const path = folder.file("heavy.mp4");
    await makeClip(path, { width: 320, height: 240, ticks: long, quality: "lossless" });
    for (const name of ["out.mp4", "out.mkv", "pictures/"]) {
      const script = `
        import { probeVideo } from "${import.meta.dirname}/../../src/data/video/probe.ts";
        import { readFrames } from "${import.meta.dirname}/../../src/data/video/reader.ts";
        import { writeOutput } from "${import.meta.dirname}/../../src/data/video/outputs.ts";
        import { readdirSync } from "node:fs";
        const source = await probeVideo("${path}");
        const options = "${name}".endsWith("/") ? {} : { quality: "lossless" };
        await writeOutput(source, "/mnt/${name}", readFrames("${path}"), options)
          .then(() => console.log("written"), (error) => console.log(error.message));
        console.log(JSON.stringify(readdirSync("/mnt")));`;
      const mounted = `mount -t tmpfs -o size=48k tmpfs /mnt && exec "$0" --input-type=module -e "$1"`;
      const { stdout } = spawnSync(
        "unshare",
        ["-rm", "sh", "-c", mounted, process.execPath, script],
        {
          encoding: "utf8",
        },
      );
      expect(stdout).toBe(
        `There is no space left for /mnt/${name}: free some, or write into another folder.\n[]\n`,
      );
    }
  });
});

/** Whether a file system of a few bytes can be had: a mount of one's own, which needs a kernel that allows it. */
function folderOfBytes(): boolean {
  const tried = spawnSync("unshare", [
    "-rm",
    "mount",
    "-t",
    "tmpfs",
    "-o",
    "size=48k",
    "tmpfs",
    "/mnt",
  ]);
  return tried.status === 0;
}
