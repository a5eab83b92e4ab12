import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { describe, expect, expectTypeOf, test } from "vitest";
import { clipFolder, clipPicture, framesOf } from "../../test/support/clips.ts";
import { eventsOf, framesEdited, only, standInEditor } from "../../test/support/edits.ts";
import { writePng } from "../data/image/png.ts";
import { readPicture } from "../data/image/read-picture.ts";
import type { FrameSource, InputFrame } from "../data/video/frame-source.ts";
import { readReceipt, receiptPath } from "./report/receipt.ts";
import type { EditedFrame } from "./settings/edited-frame.ts";

const instruction = "make the ball blue";
const SIZE = 32;

function picture(index: number): InputFrame {
  return { rgb: clipPicture(index % 12, SIZE, SIZE), width: SIZE, height: SIZE };
}

const pictures = (count: number) => Array.from({ length: count }, (_, index) => picture(index));

/** Pictures one by one; `noted` hears of each that is asked for, and of the end. */
function* drawn(count: number, noted: (what: number | "closed") => void = () => undefined) {
  try {
    for (let index = 0; index < count; index++) {
      noted(index);
      yield picture(index);
    }
  } finally {
    noted("closed");
  }
}

describe("an edit of frames that a program gives", () => {
  test("is that of a folder with the same pictures, however they are given", async () => {
    await using folder = await clipFolder();
    const { mkdir } = await import("node:fs/promises");
    await mkdir(folder.file("in"));
    for (const [index, { rgb }] of pictures(9).entries())
      await writePng(folder.file(`in/${index}.png`), rgb, SIZE, SIZE);
    const options = { steps: 2, seed: 3, frames: "2..8" };
    const edited = (video: string | FrameSource) =>
      framesEdited(standInEditor({ grain: 0.2 }), video, instruction, options);
    const expected = await edited(folder.file("in"));
    expect(expected.filter(({ isEdited }) => isEdited)).toHaveLength(6);
    for (const frames of [pictures(9), drawn(9), () => drawn(9)])
      expect(await edited({ frames })).toEqual(expected);
  });

  test("leaves the program's own pictures as they were, also where nobody gets the frames", async () => {
    const frames = pictures(6);
    await standInEditor({ factor: -1 }).edit({ frames }, instruction, { steps: 1, frames: "2..4" })
      .result;
    expect(frames).toEqual(pictures(6));
  });

  test("writes a video at the rate it was told, with all frames and a receipt", async () => {
    await using folder = await clipFolder();
    const output = folder.file("out.mp4");
    const video = { frames: drawn(5), framesPerSecond: 10 };
    const options = {
      output,
      steps: 1,
      videoName: "camera 2",
      encoding: { quality: "lossless" },
    } as const;
    const edit = standInEditor().edit(video, instruction, options);
    const events = await eventsOf(edit);
    expect(
      only(events, "warning")
        .map(({ message }) => message)
        .join(),
    ).not.toMatch(/nothing says/);
    const written = await framesOf(output);
    expect(written.map(({ ptsSeconds }) => ptsSeconds)).toEqual([0, 0.1, 0.2, 0.3, 0.4]);
    for (const [index, { rgb }] of written.entries()) expect(rgb).toEqual(picture(index).rgb);
    const hash = createHash("sha256");
    for (const { rgb } of pictures(5)) hash.update(rgb);
    const receipt = await readReceipt(receiptPath(output));
    const sha256 = hash.digest("hex");
    expect(receipt.input).toEqual({ path: "camera 2", from: "program", sha256 });
    expect((await edit.result).receipt.input).toEqual(receipt.input);
  });

  test("writes frames with times of their own, 25 a second with a warning, a folder, a picture", async () => {
    await using folder = await clipFolder();
    const editor = standInEditor();
    const options = { steps: 1, overwrite: true };
    const times = [0, 0.04, 0.5, 0.52, 1];
    const timed = pictures(5).map((frame, index) => ({ ...frame, ptsSeconds: 60 + times[index]! }));
    const output = folder.file("timed.mkv");
    await editor.edit({ frames: timed }, instruction, { ...options, output }).result;
    expect((await framesOf(output)).map(({ ptsSeconds }) => ptsSeconds)).toEqual(times);
    const untimed = await eventsOf(
      editor.edit({ frames: drawn(3) }, instruction, { ...options, output: folder.file("25.mp4") }),
    );
    expect(only(untimed, "warning")[0]!.message).toBe(
      "nothing says how long each picture of the video is shown: 25 a second",
    );
    const pair = { frames: pictures(2) };
    await editor.edit(pair, instruction, { ...options, output: folder.file("out/") }).result;
    expect(await readdir(folder.file("out"))).toContain("000002.png");
    const still = folder.file("still.png");
    await editor.edit({ frames: [picture(4)] }, instruction, { ...options, output: still }).result;
    expect((await readPicture(still)).rgb).toEqual(picture(4).rgb);
    const { result } = editor.edit(pair, instruction, { ...options, output: still });
    await expect(result).rejects.toThrow(/is one picture, and the video has 2 frames: end/);
  });

  test("writes what holds a constant rate alone where times are even, and says what is missing else", async () => {
    await using folder = await clipFolder();
    const output = folder.file("even.avi");
    const at = (times: readonly number[]) =>
      times.map((ptsSeconds, index) => ({ ...picture(index), ptsSeconds }));
    const edited = (frames: FrameSource["frames"]) =>
      standInEditor().edit({ frames }, instruction, { steps: 1, overwrite: true, output }).result;
    await edited(at([7, 7.033, 7.067, 7.1]));
    const written = (await framesOf(output)).map(({ ptsSeconds }) => ptsSeconds);
    for (const [index, time] of written.entries()) expect(time).toBeCloseTo(index / 30, 9);
    await expect(edited(at([0, 0.04, 0.5]))).rejects.toThrow(
      "AVI cannot hold the variable frame rate of the video: give framesPerSecond, or write .mp4 or .mkv instead.",
    );
    await expect(edited(at([0, 0.04, 0.08]).values())).rejects.toThrow(/give framesPerSecond/);
  });

  test("takes the frames of another edit as they are handed out", async () => {
    const editor = standInEditor({ factor: -1 });
    const options = { steps: 1, deflicker: "off" } as const;
    const once = await framesEdited(editor, { frames: drawn(5) }, instruction, options);
    expectTypeOf<EditedFrame>().toExtend<InputFrame>();
    const twice = await framesEdited(editor, { frames: once }, instruction, options);
    for (const [index, { rgb }] of twice.entries()) {
      const before = picture(index).rgb;
      expect(Math.max(...rgb.map((value, at) => Math.abs(value - before[at]!)))).toBeLessThan(2);
    }
  });

  test("takes them as they are needed: a window, and a few ahead", async () => {
    let [most, asked, done] = [0, 0, 0];
    const frames = drawn(80, () => (most = Math.max(most, ++asked - done)));
    const onFrame = () => void done++;
    await standInEditor().edit({ frames }, instruction, { steps: 1, onFrame }).result;
    expect(done).toBe(80);
    expect(most).toBeLessThan(32); // windows of 4, 8 decoded ahead and as many finished, and what flicker waits for
  });

  test("tells how far it is where it knows how many there are", async () => {
    const told = async (video: FrameSource) => {
      const events = await eventsOf(standInEditor().edit(video, instruction, { steps: 1 }));
      const last = only(events, "progress").findLast(({ phase }) => phase === "editing")!;
      return [only(events, "start")[0]!.frames, last.frame, last.frames, last.etaSeconds];
    };
    expect(await told({ frames: drawn(6) })).toEqual([null, 6, undefined, undefined]);
    expect(await told({ frames: drawn(6), count: 6 })).toEqual([6, 6, 6, 0]);
    expect(await told({ frames: pictures(6) })).toEqual([6, 6, 6, 0]);
  });

  test("is confined by a mask of as many frames, and to a span", async () => {
    await using folder = await clipFolder();
    const mask = folder.file("mask.png");
    const left = new Uint8Array(SIZE * SIZE * 3).map((_, at) =>
      Math.floor(at / 3) % SIZE < 8 ? 255 : 0,
    );
    await writePng(mask, left, SIZE, SIZE);
    const options = { steps: 1, mask, frames: "0.04s..3" };
    const found = await framesEdited(
      standInEditor({ factor: -1 }),
      { frames: drawn(5) },
      instruction,
      options,
    );
    expect(found.map(({ isEdited }) => isEdited)).toEqual([false, true, true, false, false]);
    for (const { rgb, source } of found) expect(rgb.at(-1)).toBe(source.at(-1));
    expect(found[1]!.rgb[0]).not.toBe(found[1]!.source[0]);
    const late = standInEditor().edit({ frames: drawn(5) }, instruction, { frames: "7.." });
    await expect(late.result).rejects.toThrow(/^frames: 7\.\. holds no frame of the video$/);
  });
});

describe("frames that end early", () => {
  test("are closed when the edit is stopped, and no file is left", async () => {
    await using folder = await clipFolder();
    const noted: unknown[] = [];
    const controller = new AbortController();
    const edit = standInEditor().edit(
      { frames: drawn(500, (what) => noted.push(what)) },
      instruction,
      {
        output: folder.file("out.mp4"),
        steps: 1,
        signal: controller.signal,
        onFrame: ({ index }) => {
          if (index === 5) controller.abort();
        },
      },
    );
    await expect(edit.result).rejects.toThrow("aborted");
    expect(noted.at(-1)).toBe("closed");
    expect(noted.length).toBeLessThan(50);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("are closed when the loop over the events is left, and before the editor is", async () => {
    const noted: unknown[] = [];
    const frames = () => drawn(500, (what) => noted.push(what));
    const editor = standInEditor();
    const edit = editor.edit({ frames }, instruction, { steps: 1 });
    for await (const event of edit) if (event.type === "progress" && event.frame === 3) break;
    expect(noted.at(-1)).toBe("closed");
    noted.length = 0;
    const other = editor.edit({ frames }, instruction, { steps: 1 });
    for await (const event of other)
      if (event.type === "progress" && event.frame === 3) {
        await editor[Symbol.asyncDispose]();
        expect(noted.at(-1)).toBe("closed");
        break;
      }
  });

  test("are waited for no longer than until the edit is stopped", async () => {
    const controller = new AbortController();
    const frames = (async function* () {
      yield picture(0);
      controller.abort();
      await new Promise(() => undefined);
    })();
    const { signal } = controller;
    const { result } = standInEditor().edit({ frames }, instruction, { steps: 1, signal });
    await expect(result).rejects.toThrow("aborted");
  });

  test("by an error of the program's give that, and leave no file", async () => {
    await using folder = await clipFolder();
    const mishap = new TypeError("the camera fell");
    const frames = (async function* () {
      yield* drawn(7);
      throw mishap;
    })();
    const output = folder.file("out.mp4");
    const { result } = standInEditor().edit({ frames }, instruction, { output, steps: 1 });
    await expect(result).rejects.toBe(mishap);
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("by a frame of another size say so midway", async () => {
    const frames = [...pictures(6), { rgb: new Uint8Array(12), width: 2, height: 2 }];
    const { result } = standInEditor().edit({ frames }, instruction, { steps: 1 });
    await expect(result).rejects.toThrow(
      "video.frames: frame 6 is 2 × 2, and frame 0 is 32 × 32: bring the frames to one size",
    );
  });
});

describe("a look at frames before they are edited", () => {
  test("a preview takes those up to the one it shows, and a function serves the edit, too", async () => {
    const noted: unknown[] = [];
    const frames = () => drawn(9, (what) => noted.push(what));
    const editor = standInEditor({ factor: -1 });
    const index = async (source: FrameSource, at?: string) =>
      (await editor.preview(source, instruction, { at, steps: 1 })).index;
    expect(await index({ frames }, "3")).toBe(3);
    expect(noted.at(-1)).toBe("closed");
    expect(noted.length).toBeLessThanOrEqual(6);
    expect(await index({ frames })).toBe(0);
    expect(await index({ frames, count: 9 })).toBe(4);
    expect(await index({ frames: pictures(9) }, "0.1s")).toBe(2);
    await expect(index({ frames: drawn(3) }, "5")).rejects.toThrow(
      "preview: frame 5 lies behind the end of the video",
    );
    await expect(index({ frames: pictures(3) }, "5")).rejects.toThrow(
      "preview: frame 5 lies behind the end of the video, which has 3 frames, 0.12 s",
    );
  });

  test("an estimate takes the first, and tells no time where nobody says how many there are", async () => {
    const noted: unknown[] = [];
    const frames = () => drawn(9, (what) => noted.push(what));
    const editor = standInEditor();
    const unknown = await editor.estimate({ frames }, instruction);
    expect([unknown.frames, unknown.seconds]).toEqual([null, null]);
    expect(unknown.memoryBytes).toBeGreaterThan(0);
    expect(noted).toEqual([0, "closed"]);
    const known = await editor.estimate({ frames, count: 9 }, instruction);
    expect(known.frames).toBe(9);
    expect(known.seconds).toBeGreaterThan(0);
  });

  test("uses up what can be read once, as an edit says", async () => {
    const frames = drawn(9);
    const editor = standInEditor();
    await editor.preview({ frames }, instruction, { steps: 1 });
    await expect(editor.edit({ frames }, instruction).result).rejects.toThrow(
      "these were read before, and can be read once: give an array, or a function",
    );
  });
});

describe("going on with a stopped edit of frames", () => {
  const settings = { steps: 1, method: "frame-by-frame" } as const;

  test("takes up the windows that were finished, to the same bytes", async () => {
    await using folder = await clipFolder();
    const [output, whole] = [folder.file("out.mp4"), folder.file("whole.mp4")];
    const frames = () => drawn(12);
    let evaluated = 0;
    const editor = standInEditor({
      grain: 0.2,
      onPredict: (evaluation) => (evaluated += evaluation.frames),
    });
    const options = { ...settings, resume: true, output };
    const stopped = editor.edit({ frames }, instruction, options);
    for await (const event of stopped) if (event.type === "progress" && event.frame === 6) break;
    expect(existsSync(`${output}.work`)).toBe(true);
    evaluated = 0;
    await editor.edit({ frames }, instruction, options).result;
    expect(evaluated).toBeLessThan(9);
    await editor.edit({ frames }, instruction, { ...settings, output: whole }).result;
    expect(await readFile(output)).toEqual(await readFile(whole));
    expect(existsSync(`${output}.work`)).toBe(false);
  });

  test("is refused of other frames", async () => {
    await using folder = await clipFolder();
    const options = { ...settings, resume: true, output: folder.file("out.mp4") };
    const editor = standInEditor();
    const stopped = editor.edit({ frames: pictures(12) }, instruction, options);
    for await (const event of stopped) if (event.type === "progress" && event.frame === 6) break;
    const other = editor.edit({ frames: pictures(12).toReversed() }, instruction, options);
    await expect(other.result).rejects.toThrow(/belongs to another edit \(different: input\)/);
  });

  test("is refused of what can be read once, of which nothing is taken", async () => {
    await using folder = await clipFolder();
    const noted: unknown[] = [];
    const frames = drawn(9, (what) => noted.push(what));
    const output = folder.file("out.mp4");
    for (const [name, keeping] of Object.entries({
      resume: { resume: true },
      keepWork: { keepWork: true },
    })) {
      const { result } = standInEditor().edit({ frames }, instruction, { output, ...keeping });
      await expect(result).rejects.toThrow(
        `${name}: expected video.frames that can be read again and are the same then: give an array, or a function`,
      );
    }
    expect(noted).toEqual([]);
    expect(await readdir(folder.path)).toEqual([]);
  });
});
