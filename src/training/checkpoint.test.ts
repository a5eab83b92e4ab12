import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { contestedStage, tinyConfig, tinyStage } from "../../test/support/tiny-stage.ts";
import { Checkpoints } from "./checkpoint.ts";
import type { Stage } from "./stage.ts";
import { startState } from "./step.ts";

test("a checkpoint gives back all that a run counts: steps, updates, what was skipped, and time", () => {
  const config = tinyConfig();
  const stage: Stage = contestedStage(config, { from: 0 });
  const checkpoints = new Checkpoints(join(temporaryFolder(), "checkpoints"), 2);
  const identity = { seed: config.seed, configHash: "settings", frozenHash: "frozen" };
  const counts = { step: 9, skipped: 4, skippedInARow: 2, seconds: 12.5 };
  const state = Object.assign(startState(stage, config), counts);
  state.optimizer.updates = 5;
  state.adversary!.updates = 3;
  checkpoints.save(stage, state, { ...identity, receipt: "{}" });
  const resumed = startState(stage, config);
  checkpoints.load(stage, resumed, identity, () => expect.fail("expected no damage"));
  expect(resumed).toMatchObject(counts);
  expect([resumed.optimizer.updates, resumed.adversary!.updates]).toEqual([5, 3]);
});

test("a checkpoint of another stage, of other settings or another seed is refused", () => {
  const config = tinyConfig();
  const stage: Stage = tinyStage(config);
  const checkpoints = new Checkpoints(join(temporaryFolder(), "checkpoints"), 2);
  const identity = { seed: 1, configHash: "settings", frozenHash: "frozen" };
  checkpoints.save(stage, startState(stage, config), { ...identity, receipt: "{}" });
  const load = (own: Partial<Stage>, told: Partial<typeof identity>) => () =>
    checkpoints.load(
      { ...stage, ...own },
      startState(stage, config),
      { ...identity, ...told },
      () => expect.fail("expected no damage"),
    );
  expect(load({}, {})()).toBe(true);
  expect(load({ name: "other" }, {})).toThrow(/belongs to stage tiny, not other: choose another/);
  for (const told of [{ seed: 2 }, { configHash: "others" }])
    expect(load({}, told)).toThrow(/belongs to a run with other settings: choose another --out/);
  expect(load({}, { frozenHash: "others" })).toThrow(/was trained on other frozen weights/);
});
