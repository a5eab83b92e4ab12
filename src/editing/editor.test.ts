import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { Evaluation } from "../../test/editing/stand-in-model.ts";
import {
  audioPackets,
  clipFolder,
  clipOf,
  framesOf,
  metadataOf,
} from "../../test/support/clips.ts";
import { eventsOf, framesEdited, only, standInEditor } from "../../test/support/edits.ts";
import { engineInfo } from "../engine/settings.ts";
import { Tensor } from "../engine/tensor.ts";
import { totalWork } from "./report/progress.ts";
import { readReceipt } from "./report/receipt.ts";
import type { EditedFrame } from "./settings/edited-frame.ts";

const instruction = "make the ball blue";

/** A frame with its pictures by their hashes. */
function summaryOf({ rgb, source, ...rest }: EditedFrame) {
  const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
  return { ...rest, rgb: hash(rgb), source: hash(source) };
}

/** Mean absolute difference of two pictures, 0–255. */
function difference(left: Uint8Array, right: Uint8Array): number {
  return left.reduce((sum, value, at) => sum + Math.abs(value - right[at]!), 0) / left.length;
}

describe("Editor", () => {
  test.each([1, 3, 4, 5, 11])(
    "with a model that changes nothing gives back all of %i frames, with their timing",
    async (count) => {
      await using folder = await clipFolder();
      const input = await clipOf(folder, count, { audio: "aac" });
      const output = folder.file("output.mp4");
      const result = await standInEditor().edit(input, instruction, { output, steps: 2 }).result;
      expect(result.frames).toBe(count);
      const [before, after] = [await framesOf(input), await framesOf(output)];
      expect(after.map(({ ptsSeconds }) => ptsSeconds)).toEqual(
        before.map(({ ptsSeconds }) => ptsSeconds),
      );
      // The codec at crf 12 costs about one level.
      for (const [index, { rgb }] of after.entries()) {
        expect(difference(rgb, before[index]!.rgb)).toBeLessThan(3);
      }
      expect(await audioPackets(output)).toEqual(await audioPackets(input));
    },
  );

  test("hands out what the model makes, beside the source", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 6);
    const frames = await framesEdited(standInEditor({ factor: -1 }), input, instruction, {
      steps: 1,
      deflicker: "off",
    });
    expect(frames.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
    for (const { rgb, source } of frames) {
      const negative = source.map((value) => 255 - value);
      expect(difference(rgb, negative)).toBeLessThan(1.01); // a byte's rounding
    }
  });

  test("takes flicker out alike whatever the windows, where it is asked to", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 11);
    const edited = (deflicker: "on" | "off" | undefined, window: number) =>
      framesEdited(standInEditor({ factor: -1 }), input, instruction, {
        steps: 1,
        method: "frame-by-frame",
        window,
        ...(deflicker && { deflicker }),
      });
    const [asDrawn, steady] = [await edited("off", 4), await edited("on", 4)];
    expect(steady.map(({ index }) => index)).toEqual(asDrawn.map(({ index }) => index));
    expect(difference(steady[5]!.rgb, asDrawn[5]!.rgb)).toBeGreaterThan(0);
    for (const window of [1, 3, 16]) expect(await edited("on", window)).toEqual(steady);
    expect(await edited(undefined, 4)).toEqual(asDrawn); // each frame as a picture of its own
  });

  test("brings any size back to its own, with the detail the model cannot carry", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 2, { width: 150, height: 90 });
    const kept = await framesEdited(standInEditor(), input, instruction, { steps: 1 });
    expect(kept.map(({ width, height }) => [width, height])).toEqual([
      [150, 90],
      [150, 90],
    ]);
    for (const { rgb, source } of kept) expect(difference(rgb, source)).toBe(0);
    const plain = await framesEdited(standInEditor(), input, instruction, {
      steps: 1,
      detail: "off",
    });
    for (const { rgb, source } of plain) expect(difference(rgb, source)).toBeGreaterThan(0.1);
  });

  test("edits with aligned adapters where the model has them, or as it is told", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 2);
    const edited = async (hasAlignment: boolean, method?: "aligned" | "stacked") => {
      const by: string[] = [];
      const editor = standInEditor({
        hasAlignment,
        factor: 0.5,
        onPredict: (evaluation) => by.push(evaluation.by),
      });
      const events = await eventsOf(
        editor.edit(input, instruction, { task: "style", steps: 1, ...(method && { method }) }),
      );
      const warnings = only(events, "warning").map(({ message }) => message);
      return [only(events, "end")[0]!.result.settings.method, by.at(-1), warnings.join()];
    };
    expect(await edited(true)).toEqual(["aligned", "student", ""]);
    expect(await edited(true, "stacked")).toEqual(["stacked", "stack", ""]);
    expect(await edited(false)).toEqual(["stacked", "stack", ""]);
    expect(await edited(false, "aligned")).toEqual([
      "stacked",
      "stack",
      "stand-in has no alignment: its adapters are stacked instead",
    ]);
  });

  test("edits the first frame by itself and conditions every window on an edited frame", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 7);
    const evaluations: Evaluation[] = [];
    const editor = standInEditor({
      factor: -1,
      onPredict: (evaluation) => evaluations.push(evaluation),
    });
    const frames = await framesEdited(editor, input, instruction, { steps: 1, overlap: 2 });
    expect(evaluations.map(({ by, frames: count }) => [by, count])).toEqual([
      ["edit teacher", 1],
      ["stack", 4],
      ["stack", 4],
      ["stack", 4],
    ]);
    // Windows begin at frames 0, 2 and 3: the last one is shifted back.
    const levels = [0, 2, 3].map((index) => {
      const { rgb } = frames[index]!;
      return rgb.reduce((sum, value) => sum + value / 127.5 - 1, 0) / rgb.length;
    });
    evaluations.slice(1).forEach(({ firstFrameMean }, index) => {
      expect(firstFrameMean).toBeCloseTo(levels[index]!, 1);
    });
  });

  test("gives a frame the same result in windows of any length where frames are independent", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 7);
    const edited = async (window: number, seed: number) => {
      const frames = await framesEdited(standInEditor({ grain: 0.2 }), input, instruction, {
        steps: 2,
        method: "frame-by-frame",
        window,
        seed,
      });
      return frames.map(({ rgb }) => rgb);
    };
    const first = await edited(4, 3);
    expect(await edited(3, 3)).toEqual(first);
    expect(await edited(7, 3)).toEqual(first);
    expect(await edited(4, 4)).not.toEqual(first);
  });

  test("gives the condition without words and picture to guidance", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 2);
    const seen = new Set<string>();
    const editor = standInEditor({
      onPredict: ({ by, texts, firstFrameMean }) =>
        seen.add(`${by}, "${texts.instruction}", ${firstFrameMean === null ? "no " : ""}picture`),
    });
    const guidance = { text: 5, image: 1.5 };
    await editor.edit(input, instruction, { steps: 1, guidance }).result;
    expect([...seen]).toEqual([
      'edit teacher, "make the ball blue", no picture',
      'edit teacher, "", no picture',
      'stack, "make the ball blue", picture',
      'stack, "", picture',
      'stack, "", no picture',
    ]);
  });

  test("tells how far it is, up to all the work there is", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 9);
    let work = 0;
    const editor = standInEditor({ onPredict: ({ frames }) => (work += frames) });
    const output = folder.file("output.mp4");
    const told = await eventsOf(editor.edit(input, instruction, { output, steps: 3 }));
    const events = only(told, "progress");
    expect(work).toBe(totalWork(9, only(told, "end")[0]!.result.settings));
    expect([...new Set(events.map(({ phase }) => phase))]).toEqual([
      "reading",
      "editing",
      "writing",
    ]);
    const frames = events.filter(({ phase }) => phase === "editing").map(({ frame }) => frame!);
    expect(frames).toEqual(frames.toSorted((a, b) => a - b));
    expect(events.findLast(({ phase }) => phase === "editing")).toMatchObject({
      frame: 9,
      frames: 9,
      etaSeconds: 0,
    });
  });

  test("warns once of a word that the model never learned and says what it knows", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 5);
    const edit = standInEditor({ factor: 0.5 }).edit(input, "make the unicorn blue", {
      steps: 1,
      task: "style",
    });
    const warnings = only(await eventsOf(edit), "warning");
    expect(warnings).toHaveLength(1);
    expect(warnings[0]!.message).toMatch(
      /never learned "unicorn".*objects: ball, box.*colours: red, /,
    );
  });

  test("ends where the model draws what is no number, and leaves no black frames", async () => {
    await using folder = await clipFolder();
    const output = folder.file("output.mp4");
    const editor = standInEditor({ factor: Number.NaN });
    const { result } = editor.edit(await clipOf(folder, 3), instruction, { output });
    await expect(result).rejects.toThrow(/drew what is no number: its weights are damaged/);
    expect(existsSync(output)).toBe(false);
  });

  test("frees what it made for every window", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 16);
    const editor = standInEditor();
    const alive: number[] = [];
    const guidance = { text: 2, image: 1.5 };
    const onFrame = ({ index }: EditedFrame) => {
      if (index % 2 === 0) alive.push(engineInfo().liveTensors);
    };
    await editor.edit(input, instruction, { steps: 2, guidance, onFrame }).result;
    // After the first windows only the history of the last one lives.
    expect(Math.max(...alive.slice(3))).toBeLessThanOrEqual(alive[2]!);
  });
});

test("an edit gives back to the system what its tensors took", async () => {
  await using folder = await clipFolder();
  const input = await clipOf(folder, 4);
  const onPredict = (): void => void Tensor.ones([1 << 26]); // 256 MiB
  const editor = standInEditor({ onPredict });
  const before = process.memoryUsage.rss();
  await editor.edit(input, instruction, { steps: 1 }).result;
  expect(process.memoryUsage.rss() - before).toBeLessThan(2e8);
});

describe("the receipt", () => {
  test("lies beside the video and in its metadata, and repeats the edit exactly", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 5);
    const [first, again] = [folder.file("first.mp4"), folder.file("again.mp4")];
    const editor = standInEditor({ grain: 0.2 });
    const options = { output: first, steps: 2, seed: 7, noise: "shared" as const };
    const frames = await framesEdited(editor, input, instruction, options);
    const receipt = await readReceipt(`${first}.json`);
    expect(receipt.settings).toMatchObject({ seed: 7, steps: 2, noise: "shared", task: "texture" });
    const { threads, precision } = receipt.versions;
    expect([Number(threads) >= 1, /^(bfloat16|float32)$/.test(precision!)]).toEqual([true, true]);
    const { comment } = await metadataOf(first);
    expect(JSON.parse(comment!)).toMatchObject({
      settings: receipt.settings,
      input: { name: "input.mp4", sha256: receipt.input.sha256 },
    });
    const { instruction: asked, ...settings } = receipt.settings;
    const repeated = { ...settings, output: again };
    // The edit before what codes it: a difference shows where it comes from.
    const madeAgain = await framesEdited(editor, receipt.input.path, asked, repeated);
    expect(madeAgain.map(summaryOf)).toEqual(frames.map(summaryOf));
    expect(await framesOf(again)).toEqual(await framesOf(first));
    expect(await readFile(again)).toEqual(await readFile(first));
  });

  test("of a version that took no flicker out asks for none to be taken out", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 2);
    const output = folder.file("output.mp4");
    await standInEditor().edit(input, instruction, { output, steps: 1 }).result;
    const path = `${output}.json`;
    const made = await readReceipt(path);
    const { deflicker, ...settings } = made.settings;
    await writeFile(path, JSON.stringify({ ...made, settings }));
    expect(deflicker).toBe("on");
    expect((await readReceipt(path)).settings.deflicker).toBe("off");
  });
});
