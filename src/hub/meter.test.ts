import { expect, test } from "vitest";
import { InstantClock } from "../../test/support/hub-client.ts";
import { Meter } from "./meter.ts";

/** A clock that says what the test says. */
function clockAt(time: { ms: number }): InstantClock {
  const clock = new InstantClock();
  clock.now = () => time.ms;
  return clock;
}

test("rate and remaining time count what comes over the network, not what was there", () => {
  const time = { ms: 0 };
  const meter = new Meter(clockAt(time), { files: 2, bytes: 1000 });
  meter.move("a", 400, 0);
  expect(meter.progress()).toMatchObject({ bytes: 400, bytesPerSecond: 0 });
  expect(meter.progress()).not.toHaveProperty("etaSeconds");
  time.ms = 60_000; // a server that took its time to answer is not a slow line
  meter.move("a", 450, 50);
  expect(meter.progress()).not.toHaveProperty("etaSeconds");
  time.ms = 62_000;
  meter.move("a", 550, 100);
  expect(meter.progress()).toMatchObject({ bytes: 550, bytesPerSecond: 50, etaSeconds: 9 });
});

test("the rate is that of the last ten seconds", () => {
  const time = { ms: 0 };
  const meter = new Meter(clockAt(time), { files: 1, bytes: 1e6 });
  let bytes = 0;
  const second = (received: number) => {
    time.ms += 1000;
    bytes += received;
    meter.move("a", bytes, received);
    return meter.progress().bytesPerSecond;
  };
  for (let i = 0; i < 30; i++) second(100);
  expect(second(100)).toBeCloseTo(100);
  for (let i = 0; i < 11; i++) second(10);
  expect(second(10)).toBeCloseTo(10);
});

test("a file that begins again takes its bytes back", () => {
  const meter = new Meter(clockAt({ ms: 0 }), { files: 1, bytes: 100 });
  meter.move("a", 60, 60);
  meter.move("a", 0, 0);
  expect(meter.progress().bytes).toBe(0);
  expect(meter.received).toBe(60);
});

test("progress is due four times a second", () => {
  const time = { ms: 0 };
  const meter = new Meter(clockAt(time), { files: 1, bytes: 100 });
  const due = [0, 100, 249, 251, 300, 502].map((ms) => {
    time.ms = ms;
    return meter.due() !== undefined;
  });
  expect(due).toEqual([true, false, false, true, false, true]);
});
