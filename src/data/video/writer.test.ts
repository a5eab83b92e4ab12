import { execFile } from "node:child_process";
import { chmod, link, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type AudioPacket,
  audioPackets,
  type ClipFolder,
  clipFolder,
  type ClipOptions,
  clipPicture,
  framesOf,
  makeClip,
  metadataOf,
} from "../../../test/support/clips.ts";
import { displayMatrixOf } from "../../../test/support/display-matrix.ts";
import { openMedia } from "./media.ts";
import { checkOutput } from "./outputs.ts";
import { probeVideo } from "./probe.ts";
import { type DecodedFrame, readFrames } from "./reader.ts";
import { writeEdited, writeVideo } from "./writer.ts";

let folder: ClipFolder;
beforeAll(async () => {
  folder = await clipFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

const uneven = [0, 512, 1000, 2500, 2600, 5000, 5512, 9000, 9001, 12_000, 12_345, 13_000];
const sideways = displayMatrixOf({ rotation: 90, mirrored: false });
const mirrored = displayMatrixOf({ rotation: 270, mirrored: true });

const clips: readonly (readonly [string, ClipOptions])[] = [
  ["plain.mp4", { audio: "aac" }],
  ["plain.mov", { audio: "aac" }],
  ["plain.mkv", { audio: "aac" }],
  ["plain.webm", { audio: "libopus" }],
  ["plain.avi", { audio: "ac3" }],
  ["plain.gif", {}],
  ["uneven.mp4", { ticks: uneven, audio: "aac" }],
  ["uneven.mkv", { ticks: uneven.map((tick) => tick * 2) }],
  ["late.mp4", { ticks: uneven.map((tick) => tick + 6400), audio: "aac" }],
  ["sideways.mp4", { displayMatrix: sideways, audio: "aac" }],
  ["sideways.mkv", { displayMatrix: sideways }],
  ["mirrored.mov", { displayMatrix: mirrored }],
  ["portrait.mp4", { width: 48, height: 64 }],
  ["odd.mp4", { width: 63, height: 47 }],
  ["odd.webm", { width: 63, height: 47 }],
  ["tiny.mp4", { width: 1, height: 1 }],
];

describe("an edit that changes nothing", () => {
  test.each(clips)("keeps everything of %s", async (name, options) => {
    const [path, output] = [folder.file(name), folder.file(`edited-${name}`)];
    await makeClip(path, options);
    const source = await probeVideo(path);
    const written = await writeEdited(source, output, readFrames(path));
    const edited = await probeVideo(output);
    const [before, after] = [await framesOf(path), await framesOf(output)];
    const { width, height, rotation, displayMatrix, frames, variableFrameRate } = source;
    expect(edited).toMatchObject({
      width,
      height,
      rotation,
      displayMatrix,
      frames,
      variableFrameRate,
    });
    expect(written.frames).toBe(before.length);
    expect(after.map(({ pts }) => pts)).toEqual(before.map(({ pts }) => pts));
    expect(edited.durationSeconds).toBeCloseTo(source.durationSeconds, 3);
    expect(worstFlatDifference(before, after)).toBeLessThanOrEqual(3);
    expect(await audioPackets(output)).toEqual(await audioPackets(path));
    expect(written.audioStreams).toBe(options.audio ? 1 : 0);
  });

  test.each(["mp4", "mov", "mkv"])(
    "carries a timecode to %s, and says nothing of it",
    async (to) => {
      const [path, output] = [folder.file("timecode.mov"), folder.file(`timecode-out.${to}`)];
      await makeClip(path, { audio: "aac", metadata: { timecode: "01:00:00:00" } });
      const source = await probeVideo(path);
      expect(await checkOutput(source, output)).toEqual([]);
      expect(await writeEdited(source, output, readFrames(path))).toMatchObject({ notices: [] });
      expect(await timecodeOf(output)).toBe("01:00:00:00");
    },
  );

  test("keeps the last packet of sound whose packets say no duration, as FLAC's in an avi", async () => {
    const [path, output] = [folder.file("lossless.avi"), folder.file("lossless.mp4")];
    await makeClip(path, { audio: "flac" });
    await writeEdited(await probeVideo(path), output, readFrames(path));
    const bytes = (packets: readonly AudioPacket[]) => packets.map(({ sha256 }) => sha256);
    expect(bytes(await audioPackets(output))).toEqual(bytes(await audioPackets(path)));
  });

  test("says which speakers PCM is for, where an avi does not and an mp4 asks for it", async () => {
    const [path, output] = [folder.file("plain.avi"), folder.file("plain.mp4")];
    await makeClip(path, { audio: "pcm" });
    await writeEdited(await probeVideo(path), output, readFrames(path));
    expect((await audioPackets(output)).length).toBe((await audioPackets(path)).length);
  });

  test.each([1, 2])("is of %i pictures in hevc, however often it is written", async (count) => {
    const path = folder.file(`few-${count}.mp4`);
    await makeClip(path, { ticks: [0, 512].slice(0, count), audio: "aac" });
    const [source, frames] = [await probeVideo(path), await framesOf(path)];
    for (let time = 0; time < 8; time++) {
      const written = await writeEdited(source, folder.file("few-hevc.mp4"), frames, {
        codec: "hevc",
      });
      expect(written.frames).toBe(count);
    }
  });

  test("keeps the end of a few pictures whose sound is longer in Matroska", async () => {
    const [path, output] = [folder.file("brief.mp4"), folder.file("brief.mkv")];
    await makeClip(path, { ticks: [0, 512], audio: "aac" });
    await writeEdited(await probeVideo(path), output, readFrames(path));
    expect((await probeVideo(output)).durationSeconds).toBeCloseTo(0.08, 3);
  });

  test.each(["mp4", "mov", "mkv"])("keeps MPEG's sound of the second layer in %s", async (to) => {
    const [path, output] = [folder.file("broadcast.mkv"), folder.file(`broadcast-out.${to}`)];
    await makeClip(path, { audio: "mp2" });
    await writeEdited(await probeVideo(path), output, readFrames(path));
    const sound = (packets: readonly AudioPacket[]) => packets.map(({ sha256 }) => sha256);
    expect(sound(await audioPackets(output))).toEqual(sound(await audioPackets(path)));
  });

  test("turns the pixels where the container cannot say a rotation", async () => {
    const [path, output] = [folder.file("upright.mp4"), folder.file("upright.gif")];
    await makeClip(path, { displayMatrix: sideways });
    await writeEdited(await probeVideo(path), output, readFrames(path));
    expect(await probeVideo(output)).toMatchObject({ width: 48, height: 64, rotation: 0 });
    expect(worstFlatDifference(await framesOf(path), await framesOf(output))).toBeLessThanOrEqual(
      6,
    );
  });

  test("writes the metadata it is given beside the source's", async () => {
    const [path, output] = [folder.file("titled.mp4"), folder.file("receipt.mp4")];
    await makeClip(path, { metadata: { title: "a ball" } });
    const metadata = { comment: '{"seed":7}' };
    await writeEdited(await probeVideo(path), output, readFrames(path), { metadata });
    expect(await metadataOf(output)).toMatchObject({ title: "a ball", comment: '{"seed":7}' });
  });

  test("keeps metadata under keys that mp4 has no place for", async () => {
    const output = folder.file("keys.mp4");
    const picture = new Uint8Array(16 * 16 * 3);
    const metadata = { "open-eve-receipt": "{}" };
    await writeVideo(output, [picture], { width: 16, height: 16, fps: 25, metadata });
    expect(await metadataOf(output)).toMatchObject(metadata);
  });
});

describe("what cannot be written", () => {
  test("is refused in one sentence each, before a frame is asked for", async () => {
    const path = folder.file("refused.mp4");
    await makeClip(path, { audio: "aac", ticks: uneven });
    const source = await probeVideo(path);
    await symlink(path, folder.file("symlink.mp4"));
    await link(path, folder.file("hardlink.mp4"));
    await mkdir(folder.file("folder.mp4"));
    const refusals: readonly (readonly [string, RegExp])[] = [
      ["refused.mp4", /is the input itself: choose another name\.$/],
      ["symlink.mp4", /is the input itself: choose another name\.$/],
      ["hardlink.mp4", /is the input itself: choose another name\.$/],
      ["missing/out.mp4", /^The folder .*missing does not exist: create it first\.$/],
      ["refused.mp4/out.mp4", /refused\.mp4 is not a folder: choose another output path\.$/],
      ["folder.mp4", /folder\.mp4 is a directory: give a file name\.$/],
      ["out.xyz", /has the extension \.xyz: name it with one of \.mp4, .*\.$/],
      ["out", /has no extension: name it with one of \.mp4, .*\.$/],
      [
        "out.avi",
        /^AVI cannot hold the variable frame rate of .*: write \.mp4 or \.mkv instead\.$/,
      ],
    ];
    const before = await readdir(folder.path);
    for (const [name, sentence] of refusals) {
      const attempt = writeEdited(source, folder.file(name), neverAsked());
      const refusal = { name: "UserError", message: expect.stringMatching(sentence) };
      await expect(attempt, name).rejects.toMatchObject(refusal);
    }
    expect(await readdir(folder.path)).toEqual(before);
  });

  test.skipIf(process.getuid?.() === 0)("includes a folder without write permission", async () => {
    const path = folder.file("locked-source.mp4");
    await makeClip(path);
    await mkdir(folder.file("locked"));
    await chmod(folder.file("locked"), 0o500);
    const attempt = writeEdited(
      await probeVideo(path),
      folder.file("locked/out.mp4"),
      neverAsked(),
    );
    await expect(attempt).rejects.toThrow(/^Cannot write into .*: permission denied\.$/);
  });

  test("includes pictures of another size", async () => {
    const path = folder.file("size.mp4");
    await makeClip(path);
    const attempt = writeEdited(
      await probeVideo(path),
      folder.file("size-out.mp4"),
      readFrames(path, { width: 32, height: 24 }),
    );
    await expect(attempt).rejects.toThrow(/^Frame 0 must be 64 × 48 RGB, got 32 × 24/);
  });
});

describe("an edit that does not finish", () => {
  test.each(["abort", "failure"])(
    "leaves the old output and nothing else after %s",
    async (kind) => {
      const [path, output] = [folder.file(`stop-${kind}.mp4`), folder.file(`old-${kind}.mp4`)];
      await makeClip(path, { audio: "aac" });
      await writeFile(output, "what was here before");
      const before = await readdir(folder.path);
      const abort = new AbortController();
      const asked: number[] = [];
      async function* frames(): AsyncGenerator<DecodedFrame> {
        for await (const frame of readFrames(path)) {
          asked.push(frame.index);
          if (frame.index === 5 && kind === "failure") throw new Error("stopped");
          if (frame.index === 5) abort.abort(new Error("stopped"));
          yield frame;
        }
      }
      const options = { signal: abort.signal };
      const attempt = writeEdited(await probeVideo(path), output, frames(), options);
      await expect(attempt).rejects.toThrow("stopped");
      expect(asked).toEqual([0, 1, 2, 3, 4, 5]);
      expect(await readdir(folder.path)).toEqual(before);
      expect(await readFile(output, "utf8")).toBe("what was here before");
    },
  );
});

describe("the same pictures", () => {
  const size = { width: 128, height: 128 };
  const pictures = Array.from({ length: 6 }, (_, index) => clipPicture(index, 128, 128));
  const written = async (name: string): Promise<Uint8Array> => {
    await writeVideo(folder.file(name), pictures, { ...size, fps: 25 });
    return readFile(folder.file(name));
  };

  test.each(["mp4", "mov", "mkv", "webm", "avi", "gif"])(
    "give the same file, byte by byte, in %s",
    async (extension) => {
      const first = await written(`first.${extension}`);
      expect(await written(`again.${extension}`)).toEqual(first);
    },
  );

  test("give the same file however often they are coded, whatever the encoder looks ahead to", async () => {
    const grain = (at: number, index: number) =>
      128 + 90 * Math.sin((at + index * 9) / 70) + ((at * 2_654_435_761) >>> 29);
    const moving = Array.from({ length: 24 }, (_, index) =>
      Uint8Array.from({ length: 192 * 128 * 3 }, (__, at) => grain(at, index)),
    );
    const options = { width: 192, height: 128, fps: 25, quality: "best" } as const;
    const files = new Set<string>();
    for (let round = 0; round < 8; round++) {
      await writeVideo(folder.file("grain.mp4"), moving, options);
      files.add((await readFile(folder.file("grain.mp4"))).toString("latin1"));
    }
    expect(files.size).toBe(1);
  });

  test("are coded alike however many processors there are", async () => {
    // What x264 writes into its stream; left to itself it takes half as many again as it finds processors.
    expect(Buffer.from(await written("threads.mp4")).toString("latin1")).toContain(" threads=4 ");
  });
});

test("memory does not grow with the length of a clip", { timeout: 60_000 }, async () => {
  const short = await peakMegabytes(60);
  const long = await peakMegabytes(600);
  // 540 frames of 320 × 240 RGB would be 124 MB.
  expect(long - short).toBeLessThan(60);
});

/** Peak resident memory of a process that writes, reads and edits a clip of that many frames. */
async function peakMegabytes(frames: number): Promise<number> {
  const paths = [folder.file(`long-${frames}.mp4`), folder.file(`long-${frames}-out.mp4`)];
  const script = `
    import { probeVideo } from "${import.meta.dirname}/probe.ts";
    import { readFrames } from "${import.meta.dirname}/reader.ts";
    import { writeEdited, writeVideo } from "${import.meta.dirname}/writer.ts";
    const [path, output] = ${JSON.stringify(paths)};
    const size = { width: 320, height: 240 };
    const encoderOptions = { preset: "ultrafast" };
    function* pictures() {
      for (let i = 0; i < ${frames}; i++) yield new Uint8Array(320 * 240 * 3).fill(i % 256);
    }
    await writeVideo(path, pictures(), { ...size, fps: 25, encoderOptions });
    const written = await writeEdited(await probeVideo(path), output, readFrames(path), { encoderOptions });
    console.log(JSON.stringify([written.frames, process.resourceUsage().maxRSS / 1024]));`;
  const run = promisify(execFile);
  // A small nursery: garbage that waits for its collection is not what this measures
  const { stdout } = await run(process.execPath, [
    "--max-semi-space-size=1",
    "--input-type=module",
    "-e",
    script,
  ]);
  const [count, megabytes] = JSON.parse(stdout) as [number, number];
  expect(count).toBe(frames);
  return megabytes;
}

async function* neverAsked(): AsyncGenerator<DecodedFrame, void, undefined> {
  expect.unreachable("a refused output must not ask for frames");
  yield* [];
}

/** The worst difference of any channel in the corner that is flat in every picture. */
function worstFlatDifference(
  left: readonly DecodedFrame[],
  right: readonly DecodedFrame[],
): number {
  return Math.max(
    ...left.flatMap(({ rgb }, index) => {
      const flat = rgb.length - 3;
      return [0, 1, 2].map((channel) =>
        Math.abs(rgb[flat + channel]! - right[index]!.rgb[flat + channel]!),
      );
    }),
  );
}

/** The timecode of a file's first picture, wherever its container says it. */
async function timecodeOf(path: string): Promise<string | null | undefined> {
  await using media = await openMedia(path);
  return media.video.metadata?.get("timecode") ?? media.context.metadata?.get("TIMECODE");
}
