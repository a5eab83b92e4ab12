import { describe, expect, expectTypeOf, test } from "vitest";
import type { z } from "zod";
import { standInEditor } from "../../test/support/edits.ts";
import { loadEditor } from "./editor.ts";
import type { EditSettings, EditSettingsInput } from "./settings/settings.ts";

describe("options that cannot be used", () => {
  test.each([
    [{ sed: 3 }, /^sed: no such option, expected one of output, .*seed/],
    [{ encoding: { quality: "ultra" } }, /^encoding\.quality: expected one of draft, .*"ultra"$/],
    [{ encoding: { codec: "h265" } }, /^encoding\.codec: expected one of h264, .*"h265"$/],
    [{ encoding: { pictures: "tiff" } }, /^encoding\.pictures: expected one of png, tgve/],
    [{ encoding: { codek: "hevc" } }, /^encoding: .*codek/],
    [{ encoding: "hevc" }, /^encoding: expected an object such as/],
    [{ output: 3 }, /^output: expected the path of a file.*got 3$/],
    [{ onFrame: 3 }, /^onFrame: expected a function, got 3$/],
    [{ signal: {} }, /^signal: expected an AbortSignal/],
    [{ resume: "yes" }, /^resume: expected true, false or "where it is the same", got "yes"$/],
    [{ guidance: 3 }, /^guidance: expected scales such as/],
    [{ further: "make it snow" }, /^further: expected a list of sentences/],
  ])("%j", async (options: object, message) => {
    const { result } = standInEditor().edit("missing.mp4", "make the ball blue", options);
    await expect(result).rejects.toThrow(message);
    await expect(result).rejects.toHaveProperty("name", "UserError");
  });

  test("of a preview, an estimate and the loading", async () => {
    const editor = standInEditor();
    const [video, instruction] = ["missing.mp4", "make the ball blue"];
    const wrong: object = { frames: "0..1", output: "x.mp4", onFrame: () => undefined };
    await expect(editor.preview(video, instruction, wrong)).rejects.toThrow(/^frames: no such/);
    await expect(editor.estimate(video, instruction, wrong)).rejects.toThrow(/^onFrame: no such/);
    const misspelt: object = { modle: "models/tiny" };
    await expect(loadEditor(misspelt)).rejects.toThrow(/^modle: no such option, expected .*model/);
    const unknown: object = { device: "gpu" };
    await expect(loadEditor(unknown)).rejects.toThrow(/^device: expected one of auto, cpu/);
  });

  test("that are no object", async () => {
    const none: unknown = null;
    const { result } = standInEditor().edit("missing.mp4", "make it snow", none as object);
    await expect(result).rejects.toThrow("expected options as an object, got null");
    const path: unknown = "models/tiny";
    await expect(loadEditor(path as object)).rejects.toThrow(/as an object, got "models\/tiny"$/);
  });

  test("that JSON has no words for", async () => {
    const big: object = { output: 3n };
    const { result } = standInEditor().edit("missing.mp4", "make it snow", big);
    await expect(result).rejects.toThrow(/^output: expected the path of a file.*got 3n$/);
    const none = standInEditor().edit("missing.mp4", "make it snow", {
      onFrame: Number.NaN as never,
    });
    await expect(none.result).rejects.toThrow(/^onFrame: expected .*got NaN$/);
  });

  const picture = { rgb: new Uint8Array(12), width: 2, height: 2 };
  const pictures = [picture];
  test.each<[string, unknown, RegExp]>([
    ["a number", 7, /^video: expected the path of a video, or frames as { frames, .*}, got 7$/],
    ["nothing", undefined, /^video: .*, got nothing$/],
    ["an empty path", "", /^video: expected the path of a video, got ""$/],
    ["frames alone", [{ ...picture, pts: 3n }], /^video: .*as { frames, .*, got Array$/],
    ["a generator", pictures.values(), /^video: .*, got Array Iterator$/],
    ["bytes", picture.rgb, /^video: .*, got Uint8Array$/],
    ["one picture", picture, /^rgb: no such part of a video, expected one of frames, framesPer/],
    [
      "frames of text",
      { frames: "a.png" },
      /^video\.frames: expected an array of frames.* a string$/,
    ],
    ["frames of bytes", { frames: picture.rgb }, /^video\.frames: .*, got Uint8Array$/],
    ["one frame", { frames: picture }, /got { rgb: Uint8Array, width: 2, height: 2 }$/],
    ["no frames", { framesPerSecond: 3 }, /^video\.frames: .*, got nothing$/],
    [
      "a rate of none",
      { frames: pictures, framesPerSecond: 0 },
      /^video\.framesPerSecond: .*got 0$/,
    ],
    ["a rate", { frames: pictures, framesPerSecond: "25" }, /from 0\.01 to 1000, got "25"$/],
    ["another name", { frames: pictures, fps: 25 }, /^fps: no such part of a video, .*PerSecond/],
    ["half a frame", { frames: pictures, count: 0.5 }, /^video\.count: expected a whole number/],
  ])("a video that is %s", async (_, video, message) => {
    const editor = standInEditor();
    const attempts = [
      editor.edit(video as string, "make the ball blue").result,
      editor.preview(video as string, "make the ball blue"),
      editor.estimate(video as string, "make the ball blue"),
    ];
    const refusal = { name: "UserError", message: expect.stringMatching(message) };
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes).toMatchObject(outcomes.map(() => ({ status: "rejected", reason: refusal })));
  });
});

test("settings are typed as they are checked", () => {
  type Checked = z.input<typeof EditSettings>;
  expectTypeOf<Checked>().toExtend<EditSettingsInput>();
  expectTypeOf<EditSettingsInput>().toExtend<Checked>();
  expectTypeOf<keyof Checked>().toEqualTypeOf<keyof EditSettingsInput>();
});
