import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { standInModel } from "../../../test/editing/stand-in-model.ts";
import { clipFolder, makeClip } from "../../../test/support/clips.ts";
import { eventsOf, only } from "../../../test/support/edits.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { probeVideo } from "../../data/video/probe.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { Editor } from "../editor.ts";
import { readSettings, resolveSettings } from "../settings/settings.ts";
import { codingSeconds } from "./calibration.ts";
import { estimateEdit, requireMemory, requireMemoryForWeights } from "./estimate.ts";
import { MemoryError } from "./memory-error.ts";

const instruction = "make the ball blue";
const memoryOf = (availableBytes: number) => () => ({ heldBytes: 3e8, availableBytes });

function settingsOf(own: Record<string, unknown> = {}) {
  const model = { name: "m", window: 16, hasVideoAdapter: true, hasAlignment: false };
  return [resolveSettings(readSettings({ instruction, ...own }), model)];
}

/** The sentence of a refusal; empty where there is none. */
function refusal(availableBytes: number, own: Record<string, unknown> = {}): string {
  const calibration = { windowFrameBytes: 1e8 };
  const info = { width: 2000, height: 1000 }; // 0.5 GB for the video
  try {
    requireMemory(info, settingsOf(own), calibration, memoryOf(availableBytes)());
    return "";
  } catch (error) {
    if (error instanceof MemoryError) return error.message;
    throw error;
  }
}

describe("memory", () => {
  test("that is enough is no reason to refuse", () => {
    expect(refusal(2.1e9)).toBe(""); // 16 frames of 0.1 GB and the video
  });

  test("that is short is told with a window that fits", () => {
    expect(refusal(1.7e9)).toBe(
      "editing 2000 × 1000 in windows of 16 frames takes about 2.1 GB and 1.7 GB are free: use a window of 12 frames",
    );
    expect(refusal(1.7e9, { window: 12 })).toBe("");
    expect(refusal(0.71e9)).toMatch(/use a window of 2 frames that overlaps by 1$/);
    expect(refusal(0.71e9, { window: 2, overlap: 1 })).toBe("");
    expect(refusal(0.61e9)).toMatch(/close other programs, or make the video smaller$/);
    expect(refusal(0.61e9, { method: "frame-by-frame" })).toMatch(/use a window of one frame$/);
    expect(refusal(0.61e9, { method: "frame-by-frame", window: 1 })).toBe("");
  });

  test("that is short ends an edit before it begins", async () => {
    await using folder = await clipFolder();
    await makeClip(folder.file("input.mp4"));
    const evaluations: number[] = [];
    const model = standInModel({ onPredict: ({ frames }) => evaluations.push(frames) });
    const output = folder.file("output.mp4");
    const edit = new Editor(model, memoryOf(1e5)).edit(folder.file("input.mp4"), instruction, {
      output,
    });
    await expect(edit.result).rejects.toThrow(MemoryError);
    expect(evaluations).toEqual([4, 4]); // the trial
  });

  test("for weights is told before they are loaded", () => {
    const model = temporaryFolder();
    for (const part of ["backbone", "vision"]) {
      mkdirSync(join(model, part));
      writeFileSync(join(model, part, "weights.safetensors"), "");
      truncateSync(join(model, part, "weights.safetensors"), 1e9);
    }
    expect(() => requireMemoryForWeights(model, { availableBytes: 1.9e9 })).toThrow(
      /take 2\.0 GB and 1\.9 GB are free/,
    );
    expect(() => requireMemoryForWeights(model, { availableBytes: 2e9 })).not.toThrow();
  });
});

describe("an estimate", () => {
  test("comes before a long edit, and before a short one only where memory may be short", async () => {
    await using folder = await clipFolder();
    const clip = async (frames: number) => {
      const path = folder.file(`${frames}.mp4`);
      const ticks = Array.from({ length: frames }, (_, index) => index * 512);
      await makeClip(path, { width: 32, height: 32, ticks });
      return path;
    };
    const estimates = async (frames: number, availableBytes: number) => {
      const editor = new Editor(standInModel(), memoryOf(availableBytes));
      const events = await eventsOf(editor.edit(await clip(frames), instruction, { steps: 1 }));
      return only(events, "estimate").map((event) => event.frames);
    };
    expect(await estimates(40, 1e11)).toEqual([40]); // windows of 4 frames
    expect(await estimates(8, 1e11)).toEqual([]);
    expect(await estimates(8, 1e9)).toEqual([8]);
  });

  test("takes memory that tensors have left behind for free", async () => {
    await using folder = await clipFolder();
    await makeClip(folder.file("input.mp4"), { width: 32, height: 32 });
    {
      using _ = tensorScope();
      Tensor.ones([1 << 26]); // 256 MiB
    }
    const kept = process.memoryUsage.rss();
    const editor = new Editor(standInModel());
    const { heldBytes } = await editor.estimate(folder.file("input.mp4"), instruction);
    expect(kept - heldBytes).toBeGreaterThan(2e8);
  });

  test("counts frames of the span and steps of all instructions, and edits nothing", async () => {
    await using folder = await clipFolder();
    await makeClip(folder.file("input.mp4"), { width: 32, height: 32 });
    let evaluations = 0;
    const model = standInModel({ onPredict: () => evaluations++ });
    const editor = new Editor(model, memoryOf(1e11));
    const estimate = (options: object = {}) =>
      editor.estimate(folder.file("input.mp4"), instruction, { steps: 50, ...options });
    const whole = await estimate();
    expect(evaluations).toBe(2);
    expect(whole).toMatchObject({ frames: 12, heldBytes: 3e8, availableBytes: 1e11 });
    expect(whole.memoryBytes).toBeGreaterThan(3e8);
    const half = await estimate({ frames: "..6" });
    expect(half.frames).toBe(6);
    expect(half.seconds!).toBeLessThan(whole.seconds!);
    // The same rates: calibrated once.
    const chain = await estimate({ further: ["make the box red"] });
    const guided = await estimate({ guidance: { text: 3, image: 2 } });
    const twiceTheSteps = await estimate({ steps: 100 });
    expect(evaluations).toBe(2);
    const coding = codingSeconds(32 * 32) * 12;
    expect(chain.seconds!).toBeCloseTo(2 * whole.seconds! - coding, 9);
    const ofSteps = twiceTheSteps.seconds! - whole.seconds!;
    expect(guided.seconds! - whole.seconds!).toBeCloseTo(2 * ofSteps, 9); // three evaluations for one
  });

  test("counts reading and writing of all frames, where a span alone is edited, too", async () => {
    await using folder = await clipFolder();
    await makeClip(folder.file("input.mp4"), { width: 32, height: 32 });
    const info = await probeVideo(folder.file("input.mp4"));
    const calibration = {
      stepSeconds: 0,
      pictureSeconds: 0,
      detailSeconds: 0,
      windowFrameBytes: 1,
    };
    const measured = { calibration, memory: memoryOf(1e9)() };
    for (const frames of ["..", "..2", "5..6"])
      expect(estimateEdit(info, settingsOf({ frames }), measured).seconds).toBeCloseTo(
        12 * codingSeconds(32 * 32),
        12,
      );
  });
});
