import { expect, test } from "vitest";
import { tinyConfig } from "../../test/support/tiny-stage.ts";
import { Pace } from "./pace.ts";

/** A pace on a clock that the test sets, in seconds. */
function paceOf(settings: Parameters<typeof tinyConfig>[0], startStep = 0) {
  const clock = { seconds: 0 };
  return { clock, pace: new Pace(tinyConfig(settings), startStep, () => clock.seconds * 1000) };
}

test("tells samples per second and the time left at this session's pace", () => {
  const { clock, pace } = paceOf({ steps: 110, batch: 8 }, 90);
  for (let step = 1; step <= 10; step++) {
    clock.seconds = 2 * step;
    expect(pace.stepDone()).toBe(2);
  }
  const { samplesPerSecond, etaSeconds } = pace.now(100);
  expect(samplesPerSecond).toBeCloseTo(4, 9);
  expect(etaSeconds).toBeCloseTo(20, 9);
});

test("one slow step changes the rate little", () => {
  const { clock, pace } = paceOf({ batch: 8 });
  for (const seconds of [2, 4, 16]) {
    clock.seconds = seconds;
    pace.stepDone();
  }
  // two steps of 2 s, and one of 12 that counts a twentieth
  expect(pace.now(3).samplesPerSecond).toBeCloseTo(8 / 2.5, 9);
});

test("counts the samples that the last step showed where they are not a batch", () => {
  const { clock, pace } = paceOf({ batch: 16 });
  clock.seconds = 2;
  pace.stepDone(4);
  expect(pace.now(1).samplesPerSecond).toBeCloseTo(2, 9);
});

test("a checkpoint is due by steps, or so many minutes after the last one", () => {
  const { clock, pace } = paceOf({ checkpointEvery: 7, checkpointEveryMinutes: 5 });
  expect([6, 7, 8, 14].map((step) => pace.isCheckpointDue(step))).toEqual([
    false,
    true,
    false,
    true,
  ]);
  clock.seconds = 299;
  expect(pace.isCheckpointDue(15)).toBe(false);
  clock.seconds = 300;
  expect(pace.isCheckpointDue(15)).toBe(true);
  pace.checkpointSaved();
  expect(pace.isCheckpointDue(15)).toBe(false);
});

test("by steps only where the clock is switched off", () => {
  const { clock, pace } = paceOf({ checkpointEvery: 0, checkpointEveryMinutes: 0 });
  clock.seconds = 1e6;
  expect(pace.isCheckpointDue(7)).toBe(false);
});
