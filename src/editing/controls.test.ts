import { mkdir, readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { type ClipFolder, clipFolder, clipOf, makeClip } from "../../test/support/clips.ts";
import { framesEdited, standInEditor } from "../../test/support/edits.ts";
import { writePng } from "../data/image/png.ts";
import { writeVideo } from "../data/video/writer.ts";
import type { EditedFrame } from "./settings/edited-frame.ts";

// The stand-in turns pictures into their negative, so an edited pixel is never mistaken for a kept one.
const negative = () => standInEditor({ factor: -1 });
const instruction = "make the ball blue";
const [WIDTH, HEIGHT] = [48, 32];

const wideClip = (folder: ClipFolder, frames: number) =>
  clipOf(folder, frames, { width: WIDTH, height: HEIGHT });

/** White left of `x`. */
function leftOf(x: number): Uint8Array {
  return Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, at) =>
    Math.floor(at / 3) % WIDTH < x ? 255 : 0,
  );
}

/** The columns of a frame in which any byte differs from the source. */
function changedColumns({ rgb, source }: EditedFrame): number[] {
  const columns = new Set<number>();
  rgb.forEach((value, at) => {
    if (value !== source[at]) columns.add(Math.floor(at / 3) % WIDTH);
  });
  return [...columns].toSorted((a, b) => a - b);
}

const upTo = (x: number) => Array.from({ length: x }, (_, index) => index);
const editedOf = (frames: readonly EditedFrame[]) =>
  frames.filter(({ isEdited }) => isEdited).map(({ index }) => index);

describe("a mask", () => {
  test("keeps every byte outside it, in every frame, and lets the edit show inside", async () => {
    await using folder = await clipFolder();
    const input = await wideClip(folder, 7);
    const mask = folder.file("mask.png");
    await writePng(mask, leftOf(20), WIDTH, HEIGHT);
    const frames = await framesEdited(negative(), input, instruction, { steps: 1, mask });
    for (const frame of frames) expect(changedColumns(frame)).toEqual(upTo(20));
    const free = await framesEdited(negative(), input, instruction, { steps: 1 });
    const inside = ({ rgb }: EditedFrame) => rgb.filter((_, at) => Math.floor(at / 3) % WIDTH < 20);
    expect(frames.map(inside)).toEqual(free.map(inside));
  });

  test("fades in inside its edge", async () => {
    await using folder = await clipFolder();
    const input = await wideClip(folder, 1);
    const mask = folder.file("mask.png");
    await writePng(mask, leftOf(20), WIDTH, HEIGHT);
    const options = { steps: 1, mask, feather: 3 };
    const [frame] = await framesEdited(negative(), input, instruction, options);
    const change = (x: number) => Math.abs(frame!.rgb[x * 3]! - frame!.source[x * 3]!);
    expect([16, 17, 18, 19, 20].map((x) => Math.round((4 * change(x)) / change(0)))).toEqual([
      4, 3, 2, 1, 0,
    ]);
  });

  test("can be another picture for every frame, from a folder or a video", async () => {
    await using folder = await clipFolder();
    const input = await wideClip(folder, 12);
    const pictures = upTo(12).map((index) => leftOf(4 + 2 * index));
    await mkdir(folder.file("masks"));
    for (const [index, rgb] of pictures.entries()) {
      await writePng(folder.file(`masks/${index}.png`), rgb, WIDTH, HEIGHT);
    }
    const video = folder.file("masks.mp4");
    await writeVideo(video, pictures, { width: WIDTH, height: HEIGHT, fps: 25 });
    for (const mask of [folder.file("masks"), video]) {
      const options = { steps: 1, mask, frames: "3..9" };
      const frames = await framesEdited(negative(), input, instruction, options);
      const expected = upTo(12).map((index) => (index >= 3 && index < 9 ? 4 + 2 * index : 0));
      expect(frames.map((frame) => changedColumns(frame).length)).toEqual(expected);
    }
  });

  test.each([
    ["that is missing", "nothing.png", /there is no .*nothing\.png/],
    ["that is no picture", "input.png", /input\.png is no picture that can be read/],
    ["of another size", "small.png", /expected 48 × 32 pixels, the video's own, got 8 × 8/],
    ["without any white", "black.png", /black\.png is black everywhere: paint white/],
    ["with too few pictures", "few", /one picture for each of the 5 frames, .*got 1 in few/],
    ["with too many pictures", "many", /one picture for each of the 5 frames, .*got 6 in many/],
    ["without pictures", "none", /holds no PNG or JPEG/],
  ])("%s is refused in one sentence", async (_, name, sentence) => {
    await using folder = await clipFolder();
    const input = await wideClip(folder, 5);
    await makeClip(folder.file("clip.mp4"));
    await writePng(folder.file("small.png"), new Uint8Array(8 * 8 * 3), 8, 8);
    await writePng(folder.file("black.png"), leftOf(0), WIDTH, HEIGHT);
    await mkdir(folder.file("few"));
    await mkdir(folder.file("none"));
    await writePng(folder.file("few/1.png"), leftOf(9), WIDTH, HEIGHT);
    await mkdir(folder.file("many"));
    for (const index of upTo(6))
      await writePng(folder.file(`many/${index}.png`), leftOf(9), WIDTH, HEIGHT);
    const { rename } = await import("node:fs/promises");
    await rename(folder.file("clip.mp4"), folder.file("input.png"));
    const edit = negative().edit(input, instruction, { mask: folder.file(name) });
    await expect(edit.result).rejects.toThrow(sentence);
  });
});

describe("a span", () => {
  test.each([
    ["..", upTo(10)],
    ["3..5", [3, 4]],
    ["8..", [8, 9]],
    ["..2", [0, 1]],
    ["0.08s..0.2s", [2, 3, 4]],
    ["0.32s..", [8, 9]],
    ["2..0.16s", [2, 3]],
    ["7..99", [7, 8, 9]],
  ])(
    "of %s is edited, and all other frames are the source's, byte by byte",
    async (span, inside) => {
      await using folder = await clipFolder();
      const input = await wideClip(folder, 10);
      const frames = await framesEdited(negative(), input, instruction, { steps: 1, frames: span });
      expect(frames.map(({ index }) => index)).toEqual(upTo(10));
      expect(editedOf(frames)).toEqual(inside);
      for (const frame of frames) {
        expect(changedColumns(frame)).toEqual(frame.isEdited ? upTo(WIDTH) : []);
      }
    },
  );

  test("gives its frames the noise of their place in the clip", async () => {
    await using folder = await clipFolder();
    const input = await wideClip(folder, 10);
    const options = { steps: 2, method: "frame-by-frame" } as const;
    const editor = standInEditor({ grain: 0.2 });
    const whole = await framesEdited(editor, input, instruction, options);
    const part = await framesEdited(editor, input, instruction, { ...options, frames: "4..7" });
    expect(part.slice(4, 7)).toEqual(whole.slice(4, 7));
  });

  test.each([
    ["7", /expected a span such as 2s\.\.6s, 48\.\.96 or 10\.\., got "7"/],
    ["1..2..3", /expected a span/],
    ["1.5..3", /expected a span/],
    ["a..b", /expected a span/],
    ["5..5", /ends after it begins, got "5\.\.5"/],
    ["3s..2s", /ends after it begins/],
    ["10..", /10\.\. holds no frame of the video, which has 10 frames, 0\.40 s/],
    ["2s..", /holds no frame/],
    ["0.2s..3", /holds no frame/],
  ])("of %s is refused in one sentence and leaves no file", async (span, sentence) => {
    await using folder = await clipFolder();
    const input = await wideClip(folder, 10);
    const output = folder.file("output.mp4");
    const edit = negative().edit(input, instruction, { output, frames: span, steps: 1 });
    await expect(edit.result).rejects.toThrow(sentence);
  });
});

describe("several instructions", () => {
  test("are done one after another, each on the frames of the one before it", async () => {
    await using folder = await clipFolder();
    const input = await wideClip(folder, 9);
    const said: string[] = [];
    const editor = standInEditor({
      factor: -1,
      size: WIDTH, // frames are not scaled
      onPredict: ({ texts }) => said.push(`${texts.task}: ${texts.instruction} | ${texts.caption}`),
    });
    const frames = await framesEdited(editor, input, "make the ball blue", {
      steps: 1,
      further: ["remove the box"],
      caption: "a blue ball",
      deflicker: "off",
    });
    // A negative of a negative is the picture itself, but for a level of rounding.
    for (const { rgb, source } of frames) {
      expect(Math.max(...rgb.map((value, at) => Math.abs(value - source[at]!)))).toBeLessThan(2);
    }
    expect([...new Set(said)]).toEqual([
      "texture: make the ball blue | ",
      "remove: remove the box | a blue ball",
    ]);
  });

  test("equal as many edits of one instruction without a file between them", async () => {
    await using folder = await clipFolder();
    const input = await wideClip(folder, 5);
    const options = { steps: 2, seed: 3 };
    const chain = await framesEdited(standInEditor({ grain: 0.1 }), input, "make it snow", {
      ...options,
      further: ["make it snow"],
    });
    const once = await framesEdited(standInEditor({ grain: 0.1 }), input, "make it snow", options);
    expect(chain.map(({ source }) => source)).toEqual(once.map(({ source }) => source));
    expect(chain.map(({ rgb }) => rgb)).not.toEqual(once.map(({ rgb }) => rgb));
  });
});

describe("a preview", () => {
  test("is the frame that is shown at that moment, edited by itself", async () => {
    await using folder = await clipFolder();
    const input = await wideClip(folder, 10);
    const editor = negative();
    const indexAt = async (at?: string) =>
      (await editor.preview(input, instruction, { at, steps: 1 })).index;
    expect(await indexAt()).toBe(5);
    expect(await indexAt("3")).toBe(3);
    expect(await indexAt("0s")).toBe(0);
    expect(await indexAt("0.1s")).toBe(2); // shown from 0.08 to 0.12 s
    const frame = await editor.preview(input, instruction, { at: "3", steps: 1 });
    expect(changedColumns(frame)).toEqual(upTo(WIDTH));
  });

  test("warns of a word that the model never learned, as an estimate does", async () => {
    await using folder = await clipFolder();
    const input = await wideClip(folder, 3);
    const heard: string[] = [];
    const options = { steps: 1, onWarning: (message: string) => void heard.push(message) };
    await negative().preview(input, "make the unicorn blue", options);
    await negative().estimate(input, "make the unicorn blue", options);
    expect(heard).toEqual([heard[0], heard[0]]);
    expect(heard[0]).toMatch(/never learned "unicorn"/);
  });

  test.each([
    ["soon", /expected a moment such as 2s or a frame's number, got "soon"/],
    ["10", /frame 10 lies behind the end of input\.mp4, which has 10 frames, 0\.40 s/],
    ["1s", /1 s lies behind the end/],
  ])("at %s is refused in one sentence", async (at, sentence) => {
    await using folder = await clipFolder();
    const input = await wideClip(folder, 10);
    await expect(negative().preview(input, instruction, { at })).rejects.toThrow(sentence);
  });
});

test("frames that nobody watches are freed on their way, and the file is the same", async () => {
  await using folder = await clipFolder();
  const input = await wideClip(folder, 12);
  const mask = folder.file("mask.png");
  await writePng(mask, leftOf(20), WIDTH, HEIGHT);
  const options = { steps: 1, further: ["remove the box"], mask, frames: "2..9" };
  const [watched, unwatched] = [folder.file("watched.mp4"), folder.file("unwatched.mp4")];
  const frames = await framesEdited(negative(), input, instruction, {
    ...options,
    output: watched,
  });
  await negative().edit(input, instruction, { ...options, output: unwatched }).result;
  expect(await readFile(unwatched)).toEqual(await readFile(watched));
  const bytes = frames.map(({ rgb, source }) => [rgb.length, source.length]);
  expect(bytes).toEqual(frames.map(() => [WIDTH * HEIGHT * 3, WIDTH * HEIGHT * 3]));
});
