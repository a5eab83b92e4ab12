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

  test("a video that is no path", async () => {
    const video: unknown = 7;
    const { result } = standInEditor().edit(video as string, "make the ball blue");
    await expect(result).rejects.toThrow("video: expected the path of a video, got 7");
  });
});

test("settings are typed as they are checked", () => {
  type Checked = z.input<typeof EditSettings>;
  expectTypeOf<Checked>().toExtend<EditSettingsInput>();
  expectTypeOf<EditSettingsInput>().toExtend<Checked>();
  expectTypeOf<keyof Checked>().toEqualTypeOf<keyof EditSettingsInput>();
});
