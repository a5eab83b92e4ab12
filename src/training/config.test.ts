import { expect, test } from "vitest";
import { configHash, decisiveDifferences, sampleNumbers, TrainConfig } from "./config.ts";
import { EditAdapterSettings } from "./stages/settings.ts";

const base = { steps: 10, batch: 8, learningRate: 0.1, stage: { network: { width: 4, depth: 2 } } };
const config = TrainConfig.parse(base);

test("splitting a step into parts shows the same samples in the same order", () => {
  const parts = TrainConfig.parse({ ...base, accumulate: 4 });
  const inParts = [0, 1, 2, 3].flatMap((part) => sampleNumbers(parts, 3, part));
  expect(inParts).toEqual(sampleNumbers(config, 3, 0));
  expect(inParts[0]).toBe(24);
});

test("refuses a batch that does not split evenly, and unknown keys", () => {
  expect(() => TrainConfig.parse({ ...base, accumulate: 3 })).toThrow("multiple of accumulate");
  expect(() => TrainConfig.parse({ ...base, learnignRate: 1 })).toThrow("learnignRate");
});

test("the hash and the differences see what changes a step, and nothing else", () => {
  const longer = TrainConfig.parse({ ...base, steps: 99, validateEvery: 5, threads: 2, keep: 9 });
  expect(configHash(longer)).toBe(configHash(config));
  expect(decisiveDifferences(config, longer)).toEqual([]);
  const wider = TrainConfig.parse({ ...base, seed: 1, stage: { network: { depth: 2, width: 5 } } });
  expect(configHash(wider)).not.toBe(configHash(config));
  expect(decisiveDifferences(config, wider)).toEqual([
    "seed 0 became 1",
    "stage.network.width 4 became 5",
  ]);
});

test("a stage may look, remember and lie elsewhere than it did", () => {
  const stage = { items: 8, cache: "a", model: "b", recompute: true, watchEvery: 25 };
  const elsewhere = { items: 8, cache: "c", model: "d", recompute: "layers", watchEvery: 0 };
  const [before, now] = [stage, elsewhere].map((own) => TrainConfig.parse({ ...base, stage: own }));
  expect(configHash(now!)).toBe(configHash(before!));
  expect(decisiveDifferences(before!, now!)).toEqual([]);
});

test("the hash does not depend on the order of keys", () => {
  const reordered = {
    stage: { network: { depth: 2, width: 4 } },
    learningRate: 0.1,
    batch: 8,
    steps: 10,
  };
  expect(configHash(TrainConfig.parse(reordered))).toBe(configHash(config));
});

test("a run from before optimizers could be chosen has the hash of one with AdamW, and not that of one with Muon", () => {
  const { optimizer, ...older } = config;
  expect(optimizer).toBe("adamw");
  expect(configHash(older as TrainConfig)).toBe(configHash(config));
  const other = TrainConfig.parse({ ...base, optimizer: "muon" });
  expect(configHash(other)).not.toBe(configHash(config));
  expect(decisiveDifferences(config, other)).toEqual(['optimizer "adamw" became "muon"']);
});

test.each([
  ["sharedNoise", 0, 0.3],
  ["inUse", 0, 0.5],
  ["inUseError", "squared", "absolute"],
  ["keptWeight", 0, 1],
  ["largestShare", 8, 32],
  ["inUseLearned", "all", "one"],
  ["videoStrength", 1, 0.5],
  ["temperature", 1, 0],
])(
  "a run from before %s could be set has the hash of one with %s, and not that of one with %s",
  (key, before, after) => {
    const older = TrainConfig.parse({ ...base, stage: { items: 8 } });
    const now = TrainConfig.parse({ ...base, stage: { items: 8, [key]: before } });
    expect(configHash(now)).toBe(configHash(older));
    expect(decisiveDifferences(older, now)).toEqual([]);
    const other = TrainConfig.parse({ ...base, stage: { items: 8, [key]: after } });
    expect(configHash(other)).not.toBe(configHash(older));
    expect(decisiveDifferences(older, other)).toEqual([
      `stage.${key} ${JSON.stringify(before)} became ${JSON.stringify(after)}`,
    ]);
  },
);

test("a run from before tasks had odds resumes, and none that gives them", () => {
  const withStage = (stage: object): TrainConfig => TrainConfig.parse({ ...base, stage });
  const older = configHash(withStage({ items: 8 }));
  expect(configHash(withStage({ items: 8, taskOdds: {} }))).toBe(older);
  expect(configHash(withStage({ items: 8, taskOdds: { add: 2 } }))).not.toBe(older);
});

test("no setting of the edit adapter keeps runs from before it from going on", () => {
  const first =
    "model items dropCaption dropInstruction dropPicture noiseBias changeWeight warmStart cache".split(
      " ",
    );
  const settings = EditAdapterSettings.parse({});
  const older = Object.entries(settings).filter(([name]) => first.includes(name));
  expect(older).toHaveLength(first.length);
  expect(configHash(TrainConfig.parse({ ...base, stage: settings }))).toBe(
    configHash(TrainConfig.parse({ ...base, stage: Object.fromEntries(older) })),
  );
});
