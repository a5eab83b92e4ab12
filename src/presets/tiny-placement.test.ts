import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { setDefaultDevice } from "../engine/device.ts";
import { resolveConfig, stageEntry, type StageContext } from "../training/stage.ts";
import { startState, trainStep } from "../training/step.ts";
import { saveSmallModel } from "../../test/support/small-model.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { useVirtualDevice, VIRTUAL_DEVICE } from "../../test/support/virtual-device.ts";
import { tiny } from "./tiny.ts";

const root = temporaryFolder();
const model = saveSmallModel(join(root, "model"), { hasVision: true });
const context: StageContext = { signal: new AbortController().signal, progress: () => {} };
const common = { precision: "float32", threads: 1 } as const;
const cache = join(root, "cache");

beforeEach(useVirtualDevice);

afterEach(() => {
  setDefaultDevice("cpu");
  vi.restoreAllMocks();
});

const SETTINGS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  vision: { cache, pictures: 8, held: 4 },
  distillation: {
    model: model.path,
    cache,
    items: 2,
    held: 1,
    samples: { steps: 1 },
    heads: { depths: [0, 1], channels: 8, heads: 2, size: null },
    criticWarmup: 0,
    adversarialFrom: 0,
  },
};

describe("a training step where tensors are made elsewhere than on the CPU", () => {
  test.each(Object.keys(SETTINGS))("of %s touches the CPU nowhere", async (name) => {
    const entry = stageEntry(tiny, name);
    const stage = { ...(entry.config.stage as object), ...SETTINGS[name] };
    const config = resolveConfig(entry, { ...entry.config, ...common, steps: 2, batch: 2, stage });
    const opened = await entry.open(config, context);
    const result = await trainStep(opened, config, startState(opened, config));
    expect(result.type).toBe("updated");
    for (const weight of opened.trainable.values()) expect(weight.device).toBe(VIRTUAL_DEVICE);
    expect(Object.values(await opened.validate!()).every(Number.isFinite)).toBe(true);
  });
});
