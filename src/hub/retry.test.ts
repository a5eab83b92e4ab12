import { describe, expect, test } from "vitest";
import { InstantClock } from "../../test/support/hub-client.ts";
import { Interrupted } from "./errors.ts";
import { type Retry, retryAfter, withRetries } from "./retry.ts";

const { signal } = new AbortController();
const advice = "do something";

describe("withRetries", () => {
  test("waits twice as long after every failure, and gives up with what to do", async () => {
    const clock = new InstantClock();
    const told: Retry[] = [];
    const options = { clock, signal, advice, onRetry: (retry: Retry) => void told.push(retry) };
    const failing = withRetries("the file", options, async () => {
      throw new Interrupted("the line was cut");
    });
    await expect(failing).rejects.toThrow(
      "the file: the line was cut (tried 6 times); do something",
    );
    expect(clock.waits).toEqual([1000, 2000, 4000, 8000, 16_000]);
    expect(told[1]).toEqual({ reason: "the line was cut", waitSeconds: 2, attempt: 2 });
  });

  test("spreads tries of many clients over the second half of each wait", async () => {
    const clock = new InstantClock();
    clock.random = () => 0;
    const once = failingTimes(1);
    await withRetries("the file", { clock, signal, advice }, once);
    expect(clock.waits).toEqual([500]);
  });

  test("starts counting anew whenever it gets further than before", async () => {
    const clock = new InstantClock();
    let bytes = 0;
    const action = async () => {
      bytes++;
      if (bytes < 40) throw new Interrupted("the line was cut");
    };
    await withRetries("the file", { clock, signal, advice }, action, () => bytes);
    expect(new Set(clock.waits)).toEqual(new Set([1000]));
    expect(bytes).toBe(40);
  });

  test("does not count ground that was lost and won back as progress", async () => {
    const clock = new InstantClock();
    const bytes = [0, 9, 3, 5, 4, 8, 6, 7, 5];
    let at = 0;
    const action = async () => {
      at++;
      throw new Interrupted("the line was cut");
    };
    await expect(
      withRetries("the file", { clock, signal, advice }, action, () => bytes[at]!),
    ).rejects.toThrow("tried 6 times");
    expect(at).toBe(6);
  });

  test("waits as long as the server asks, and not hours", async () => {
    const clock = new InstantClock();
    await withRetries("the file", { clock, signal, advice }, failingTimes(1, 120));
    expect(clock.waits).toEqual([120_000]);
    await expect(
      withRetries("the file", { clock, signal, advice }, failingTimes(1, 7200)),
    ).rejects.toThrow("asks to come back in 120 minutes: run the same command then");
    await expect(
      withRetries("the file", { clock, signal, advice }, failingTimes(1, 1e23)),
    ).rejects.toThrow("asks to come back in more than a day: run the same command then");
  });

  test("passes on what no other try can change", async () => {
    const clock = new InstantClock();
    const action = () => Promise.reject(new Error("no"));
    await expect(withRetries("the file", { clock, signal, advice }, action)).rejects.toThrow(
      /^no$/,
    );
    expect(clock.waits).toEqual([]);
  });
});

test.each([
  [null, undefined],
  ["7", 7],
  ["Thu, 26 Nov 2026 12:00:30 GMT", 30],
  ["Thu, 26 Nov 2026 11:00:00 GMT", 0],
  ["later", undefined],
])("Retry-After %s is %s seconds", (header, seconds) => {
  expect(retryAfter(header, new InstantClock())).toBe(seconds);
});

function failingTimes(times: number, retryAfterSeconds?: number) {
  let calls = 0;
  return async () => {
    if (calls++ < times) throw new Interrupted("busy", { retryAfterSeconds });
  };
}
