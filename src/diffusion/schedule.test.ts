import { describe, expect, test } from "vitest";
import { ConfigError } from "../engine/errors.ts";
import { Tensor } from "../engine/tensor.ts";
import { createSchedule, matchTime, Schedule, zeroTerminalSnr } from "./schedule.ts";

// ᾱ of the public schedules, six decimals.
const PUBLISHED = [
  { t: 0, linear: 0.99915, scaled: 0.99915 },
  { t: 100, linear: 0.867344, scaled: 0.894223 },
  { t: 250, linear: 0.568788, scaled: 0.673793 },
  { t: 500, linear: 0.160772, scaled: 0.276333 },
  { t: 750, linear: 0.022519, scaled: 0.05617 },
  { t: 900, linear: 0.004939, scaled: 0.014151 },
  { t: 981, linear: 0.001959, scaled: 0.005776 },
  { t: 999, linear: 0.001579, scaled: 0.00466 },
];
const scaled = createSchedule();
const linear = createSchedule({ kind: "linear" });
const terminal = createSchedule({ zeroTerminalSnr: true });

describe("a schedule", () => {
  test.each(PUBLISHED)("has the published ᾱ at t = $t", (row) => {
    expect(Math.abs(linear.alphaBar(row.t) - row.linear)).toBeLessThan(1e-6);
    expect(Math.abs(scaled.alphaBar(row.t) - row.scaled)).toBeLessThan(1e-6);
  });

  test("splits the variance between signal and noise", () => {
    for (const t of [0, 17, 500, 999])
      expect(scaled.alpha(t) ** 2 + scaled.sigma(t) ** 2).toBeCloseTo(1, 14);
  });

  test("refuses a time it does not have", () => {
    for (const t of [-1, 1000, 2.5]) {
      expect(() => scaled.alpha(t)).toThrow(
        `expected a diffusion time among the integers 0 to 999, got ${t}`,
      );
    }
  });

  test.each([{ steps: 1_000_000_000 }, { betaStart: 0 }, { betaEnd: 1 }])(
    "is none of %j",
    (config) => {
      expect(() => createSchedule(config)).toThrow(ConfigError);
      expect(() => createSchedule(config)).toThrow(/^a noise schedule: /);
    },
  );

  test("refuses values that do not fall", () => {
    expect(() => new Schedule(Float64Array.of(0.9, 0.9, 0.1))).toThrow(
      /ᾱ to fall strictly within \[0, 1\]/,
    );
    expect(() => new Schedule(Float64Array.of(1.2, 0.5))).toThrow(/2 values from 1.2 to 0.5/);
    expect(() => new Schedule(Float64Array.of())).toThrow(/0 values/);
    expect(() => new Schedule(Float64Array.of(0.9, NaN, 0.1))).toThrow(/3 values/);
  });

  test("noises a batch of times as it noises each alone", () => {
    const x0 = Tensor.from([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]);
    const noise = Tensor.from([8, 7, 6, 5, 4, 3, 2, 1], [2, 2, 2]);
    const together = scaled
      .addNoise(x0, noise, Tensor.from([3, 999], [2], "int64"))
      .toFloat32Array();
    const first = scaled.addNoise(x0, noise, 3).toFloat32Array();
    const second = scaled.addNoise(x0, noise, 999).toFloat32Array();
    const alone = [...first.slice(0, 4), ...second.slice(4)];
    // Float32 tables against float64 scalars: one rounding of values up to 8.
    alone.forEach((value, index) =>
      expect(Math.abs((together[index] ?? NaN) - value)).toBeLessThan(2e-6),
    );
  });
});

describe("zeroTerminalSnr", () => {
  test("ends at exactly α = 0 and leaves the first level alone", () => {
    expect(terminal.alpha(999)).toBe(0);
    expect(terminal.sigma(999)).toBe(1);
    expect(terminal.isZeroTerminal).toBe(true);
    expect(scaled.isZeroTerminal).toBe(false);
    expect(terminal.alpha(0)).toBeCloseTo(scaled.alpha(0), 14);
  });

  test("shifts every √ᾱ by the same amount before scaling", () => {
    const step = (schedule: Schedule, t: number): number =>
      schedule.alpha(t) - schedule.alpha(t + 1);
    const stretch = step(terminal, 0) / step(scaled, 0);
    for (const t of [100, 500, 998])
      expect(step(terminal, t) / step(scaled, t)).toBeCloseTo(stretch, 9);
  });

  test("changes nothing the second time", () => {
    const again = zeroTerminalSnr(terminal);
    for (const t of [0, 1, 500, 998, 999])
      expect(again.alphaBar(t)).toBeCloseTo(terminal.alphaBar(t), 14);
  });
});

describe("matchTime", () => {
  test("is the identity on one schedule", () => {
    for (const t of [0, 1, 333, 998, 999]) expect(matchTime(scaled, t, scaled)).toBe(t);
  });

  test("finds the level between two integers that has the same ᾱ", () => {
    const label = matchTime(scaled, 500, linear);
    const below = Math.floor(label);
    const fraction = label - below;
    const reached = linear.alphaBar(below) * (1 - fraction) + linear.alphaBar(below + 1) * fraction;
    expect(reached).toBeCloseTo(scaled.alphaBar(500), 12);
    // The linear schedule destroys faster, so it passes this level sooner.
    expect(label).toBeLessThan(500);
  });

  /** ᾱ between the integers, on a straight line. */
  function alphaBarAt(schedule: Schedule, label: number): number {
    const below = Math.min(Math.floor(label), schedule.steps - 2);
    const along = label - below;
    return schedule.alphaBar(below) * (1 - along) + schedule.alphaBar(below + 1) * along;
  }

  test.each([
    [50, 57],
    [100, 121],
    [250, 313],
    [500, 600],
    [750, 854],
    [900, 994],
    [905, 999],
  ])("gives linear t = %i the scaled_linear label %i, to the nearest integer", (t, label) => {
    expect(Math.round(matchTime(linear, t, scaled))).toBe(label);
  });

  test.each(PUBLISHED)("finds the published ᾱ of t = $t of either schedule in the other", (row) => {
    const inLinear = alphaBarAt(linear, matchTime(scaled, row.t, linear));
    expect(Math.abs(inLinear - row.scaled)).toBeLessThan(1e-6);
    // from linear t = 906 on there is less signal than scaled_linear ever leaves: its last level is the nearest
    const inScaled = alphaBarAt(scaled, matchTime(linear, row.t, scaled));
    expect(Math.abs(inScaled - Math.max(row.linear, 0.00466))).toBeLessThan(1e-6);
  });

  test.each([
    { name: "linear to scaled_linear", from: linear, to: scaled, unreached: 94 },
    { name: "scaled_linear to linear", from: scaled, to: linear, unreached: 0 },
  ])("is exact and monotone for all t: $name", ({ from, to, unreached }) => {
    const last = to.steps - 1;
    const times = Array.from({ length: from.steps }, (_, t) => t);
    const labels = times.map((t) => matchTime(from, t, to));
    const reached = times.filter((t) => from.alphaBar(t) >= to.alphaBar(last));
    expect(from.steps - reached.length).toBe(unreached);
    for (const t of reached) {
      const difference = alphaBarAt(to, labels[t]!) / from.alphaBar(t) - 1;
      expect(Math.abs(difference), `t = ${t}`).toBeLessThan(1e-12);
      expect(labels[t]!, `t = ${t}`).toBeGreaterThan(t === 0 ? -1 : labels[t - 1]!);
    }
    for (const t of times.slice(reached.length)) expect(labels[t]).toBe(last);
  });

  test("stops at the end of a schedule that does not reach the level", () => {
    expect(matchTime(terminal, 999, scaled)).toBe(999);
  });
});
