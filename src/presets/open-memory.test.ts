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
    };
    for (const [name, count] of Object.entries(values)) {
      const share = bytesOf(plan, name) / (2 * count);
      expect(share, name).toBeGreaterThan(1);
      expect(share, name).toBeLessThan(1.002);
    }
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
  });

  test("takes less the more is computed again", () => {
    const total = (recompute: boolean | "layers"): number =>
      openMemoryPlan(shape, { ...settings, recompute, terms: ["sdsEdit"] }).totalBytes;
    expect(total("layers")).toBeLessThan(total(true));
    expect(total(true)).toBeLessThan(total(false));
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
