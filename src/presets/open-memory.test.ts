import { describe, expect, test } from "vitest";
import { Rng } from "../engine/random.ts";
import { Linear } from "../nn/linear.ts";
import { resolveConfig, stageEntry } from "../training/stage.ts";
import { DistillationSettings } from "../training/stages/distillation-settings.ts";
import { frozenBytes, openMemoryPlan, type MemoryPlan } from "./open-memory.ts";
import { openPreset } from "./open.ts";

const nowhere = (): Promise<never> => Promise.reject(new Error("a plan needs no weights"));
const entry = stageEntry(openPreset({ model: nowhere, vision: nowhere }), "distillation");
const settings = DistillationSettings.parse(resolveConfig(entry).stage);
const shape = { clips: 1, frames: 8, size: 512 };
const plan = openMemoryPlan(shape, settings);

const bytesOf = ({ parts }: MemoryPlan, start: string): number =>
  parts.find(({ name }) => name.startsWith(start))!.bytes;

describe("the memory plan of the open preset", () => {
  test("holds matrices in two bytes and vectors in four", () => {
    expect(frozenBytes(new Linear(Rng.seed(0), 3, 5))).toBe(15 * 2 + 5 * 4);
  });

  test("holds every public network once, at the size of its half precision file", () => {
    const values = {
      "backbone, ": 859_520_964,
      "edit adapter": 361_279_120,
      "video adapter (motion": 417_700_800,
      "video adapter (first": 496_956_160,
      "autoencoder and text encoder": 83_653_863 + 123_060_480,
    };
    for (const [name, count] of Object.entries(values)) {
      const share = bytesOf(plan, name) / (2 * count);
      expect(share, name).toBeGreaterThan(1);
      expect(share, name).toBeLessThan(1.002);
    }
    // without the token that hides patches in training
    expect(bytesOf(plan, "critics' eyes")).toBe(4 * (22_056_576 - 384));
  });

  test("holds weight, gradient and two moments of all that learns, and the average of the LoRA", () => {
    for (const [start, bytesOfValue] of [
      ["LoRA", 20],
      ["critics' heads", 16],
    ] as const) {
      const { name, bytes } = plan.parts.find((part) => part.name.startsWith(start))!;
      expect(name).toContain(` of ${(bytes / bytesOfValue / 1e6).toFixed(1)} million values`);
    }
  });

  test("counts the states between layers of the public networks, for all of the student's steps", () => {
    // channels and side at each place where a layer ends, on the way down and on the way up
    const down = 3 * 320 * 64 ** 2 + 320 * 32 ** 2 + 2 * 640 * 32 ** 2 + 640 * 16 ** 2;
    const deeper = 2 * 1280 * 16 ** 2 + 3 * 1280 * 8 ** 2;
    const up = 3 * 1280 * 8 ** 2 + 4 * 1280 * 16 ** 2 + 1280 * 32 ** 2 + 3 * 640 * 32 ** 2;
    const finest = 640 * 64 ** 2 + 3 * 320 * 64 ** 2;
    const values = 7 * (down + deeper) + up + finest;
    // float32, twice what can be counted
    const ofStep = 8 * 4 * 2 * values;
    expect(bytesOf(plan, "states between")).toBe(3 * ofStep);
    const steps = openMemoryPlan(shape, { ...settings, kBin: { ...settings.kBin, bins: 5 } });
    expect(bytesOf(steps, "states between")).toBe(5 * ofStep);
  });

  test("holds four clips of pixels for the critics, and decodes one frame at a time", () => {
    expect(bytesOf(plan, "pixels for the critics")).toBe(4 * 8 * 3 * 512 ** 2 * 4);
    // three ResNets a scale, of which the first has the channels of the coarser one; nine tensors of each
    const blocks = (2 * 128 + 256) * 512 ** 2 + (2 * 256 + 512) * 256 ** 2;
    const coarser = 3 * 512 * (128 ** 2 + 64 ** 2);
    expect(bytesOf(plan, "one frame decoded")).toBe(9 * 4 * (blocks + coarser));
  });

  test("counts the LoRA's matrices: A and B beside every layer of the transformers", () => {
    // of each attention's four layers, with words of 768 features, and of the two-layer network, 8 times as wide inside
    const widths = (c: number): number => 8 * c + 4 * c + 2 * (768 + c) + (c + 8 * c) + (4 * c + c);
    const values = 32 * (5 * widths(320) + 5 * widths(640) + 6 * widths(1280));
    // weight, gradient, two moments, average
    expect(bytesOf(plan, "LoRA")).toBe(values * 20);
  });

  test("adds up what is held and the largest of what passes, and a tenth", () => {
    const sum = (type: string, join: (...all: number[]) => number): number =>
      join(
        ...plan.parts
          .filter((part) => part.type === type && !part.name.startsWith("reserve"))
          .map(({ bytes }) => bytes),
      );
    const held = sum("held", (...all) => all.reduce((total, bytes) => total + bytes));
    const largest = sum("passing", Math.max);
    expect(plan.totalBytes).toBeCloseTo(1.1 * (held + largest), 0);
  });

  test("grows with frames and with the area of pictures, but for what does not depend on them", () => {
    const longer = openMemoryPlan({ ...shape, frames: 16 }, settings);
    const larger = openMemoryPlan({ ...shape, size: 1024 }, settings);
    const states = bytesOf(plan, "states between");
    expect(bytesOf(longer, "states between")).toBe(2 * states);
    expect(bytesOf(larger, "states between")).toBe(4 * states);
    expect(bytesOf(longer, "one frame decoded")).toBe(bytesOf(plan, "one frame decoded"));
    expect(bytesOf(longer, "LoRA")).toBe(bytesOf(plan, "LoRA"));
    const seen = "what the critics see";
    expect(bytesOf(longer, seen)).toBe(2 * bytesOf(plan, seen));
  });

  test("takes less the more is computed again", () => {
    const total = (recompute: boolean | "layers"): number =>
      openMemoryPlan(shape, { ...settings, recompute, terms: ["sdsEdit"] }).totalBytes;
    expect(total("layers")).toBeLessThan(total(true));
    expect(total(true)).toBeLessThan(total(false));
    const [kept, again] = [false, true].map((recompute) =>
      openMemoryPlan(shape, { ...settings, recompute }),
    );
    const ofStep = bytesOf(again!, "one of the student's steps");
    expect(bytesOf(kept!, "intermediates of 3 steps")).toBe(3 * ofStep);
  });

  test("fits 8 frames of 512 pixels into 80 GB, not into 24", () => {
    expect(plan.fits).toBe(true);
    const small = openMemoryPlan(shape, settings, 24e9);
    expect(small.fits).toBe(false);
  });

  test("without critics decodes nothing", () => {
    const scored = openMemoryPlan(shape, { ...settings, terms: ["sdsEdit", "sdsVideo"] });
    const names = scored.parts.map(({ name }) => name);
    expect(names.filter((name) => /critics' heads|decoded|pixels/.test(name))).toEqual([]);
  });
});
