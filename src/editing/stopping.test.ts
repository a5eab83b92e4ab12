import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { standInModel } from "../../test/editing/stand-in-model.ts";
import { clipFolder, clipOf } from "../../test/support/clips.ts";
import { PLENTY, standInEditor } from "../../test/support/edits.ts";
import { Editor } from "./editor.ts";

const instruction = "make the ball blue";

describe("stopping an edit", () => {
  test("takes effect after the denoising step at hand and leaves no file", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 12);
    const controller = new AbortController();
    let evaluations = 0;
    const editor = standInEditor({
      onPredict: () => {
        if (++evaluations === 12) controller.abort();
      },
    });
    const { signal } = controller;
    const { result } = editor.edit(input, instruction, {
      output: folder.file("output.mp4"),
      steps: 5,
      signal,
    });
    await expect(result).rejects.toThrow("aborted");
    expect(evaluations).toBe(12);
    expect(await readdir(folder.path)).toEqual(["input.mp4"]);
  });

  test("begins no work after it, wherever it comes: no step, no encoding, no decoding", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 7);
    /** Runs the edit and aborts during its `at`th piece of work; how many pieces there were. */
    const piecesWhenStoppedAt = async (at: number): Promise<number> => {
      const controller = new AbortController();
      let pieces = 0;
      const count = () => {
        if (++pieces === at) controller.abort();
      };
      const model = standInModel({ onPredict: count });
      const counted = {
        ...model,
        encode: (...args: Parameters<typeof model.encode>) => (count(), model.encode(...args)),
        decode: (...args: Parameters<typeof model.decode>) => (count(), model.decode(...args)),
      };
      const edit = new Editor(counted, PLENTY).edit(input, instruction, {
        output: folder.file("output.mp4"),
        overwrite: true,
        steps: 2,
        signal: controller.signal,
      });
      await edit.result.catch(() => undefined);
      return pieces;
    };
    const all = await piecesWhenStoppedAt(Infinity);
    expect(all).toBe(17); // 3 windows: encode, 2 steps, 2 decodings each; 2 steps for the first frame
    for (let at = 1; at <= all; at++) expect(await piecesWhenStoppedAt(at)).toBe(at);
  });

  test("also when the loop over its events is left", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 12);
    const edit = standInEditor().edit(input, instruction, {
      output: folder.file("output.mp4"),
      steps: 1,
    });
    for await (const event of edit) if (event.type === "progress" && event.frame === 5) break;
    await expect(edit.result).rejects.toThrow("the edit was left before its end");
    expect(await readdir(folder.path)).toEqual(["input.mp4"]);
  });

  test("leaves what was written whole where the loop is left behind it", async () => {
    await using folder = await clipFolder();
    const output = folder.file("output.mp4");
    const edit = standInEditor().edit(await clipOf(folder, 4), instruction, { output, steps: 1 });
    for await (const event of edit) if (event.type === "end") break;
    expect((await edit.result).frames).toBe(4);
    expect((await readdir(folder.path)).toSorted()).toEqual([
      "input.mp4",
      "output.mp4",
      "output.mp4.json",
    ]);
  });

  test("also when the editor is closed, which waits until all is cleared up", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 6);
    const editor = standInEditor();
    const output = folder.file("output.mp4");
    const edit = editor.edit(input, instruction, { output, steps: 1 });
    for await (const event of edit)
      if (event.type === "progress" && event.frame === 2) {
        await editor[Symbol.asyncDispose]();
        expect(await readdir(folder.path)).toEqual(["input.mp4"]);
        break;
      }
    await expect(edit.result).rejects.toThrow("the editor was closed");
    await expect(editor.edit(input, instruction).result).rejects.toThrow("the editor was closed");
  });

  test("also when whoever gets the frames closes the editor and waits for that", async () => {
    await using folder = await clipFolder();
    const editor = standInEditor();
    const onFrame = (): Promise<void> => editor[Symbol.asyncDispose]();
    const edit = editor.edit(await clipOf(folder, 6), instruction, { onFrame, steps: 1 });
    await expect(edit.result).rejects.toThrow("the editor was closed");
  });

  test("a failure of the model leaves no file either", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 6);
    const editor = standInEditor({
      onPredict: ({ by }) => {
        if (by === "stack") throw new Error("out of luck");
      },
    });
    const edit = editor.edit(input, instruction, { output: folder.file("output.mp4") });
    await expect(edit.result).rejects.toThrow("out of luck");
    expect(await readdir(folder.path)).toEqual(["input.mp4"]);
  });
});
