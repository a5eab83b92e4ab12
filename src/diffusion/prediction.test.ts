import { describe, expect, test } from "vitest";
import { largestDifference } from "../../test/support/difference.ts";
import { normal, Rng } from "../engine/random.ts";
import { Tensor } from "../engine/tensor.ts";
import { targetFor, toPrediction, type PredictionKind } from "./prediction.ts";
import { createSchedule, Schedule, type Time } from "./schedule.ts";

const KINDS: readonly PredictionKind[] = ["noise", "v", "x0"];
const plain = createSchedule();
const terminal = createSchedule({ zeroTerminalSnr: true });
const rng = Rng.seed(1);
const x0 = normal(rng.split("x0"), [2, 3, 4]).to("float64");
const noise = normal(rng.split("noise"), [2, 3, 4]).to("float64");
const times = (...values: number[]): Tensor => Tensor.from(values, [values.length], "int64");

function roundTrip(kind: PredictionKind, schedule: Schedule, t: Time) {
  const xt = schedule.addNoise(x0, noise, t);
  const found = toPrediction(kind, targetFor(kind, { x0, noise }, t, schedule), {
    xt,
    t,
    schedule,
  });
  return { x0: largestDifference(found.x0, x0), noise: largestDifference(found.noise, noise) };
}

describe("predictions", () => {
  test.each(KINDS)("of kind %s give back x0 and noise", (kind) => {
    for (const t of [0, 1, 400, 999]) {
      const error = roundTrip(kind, plain, t);
      // Division by α(999) = 0.07 or σ(0) = 0.03 of float64 values.
      expect(Math.max(error.x0, error.noise)).toBeLessThan(1e-13);
    }
  });

  test.each(KINDS)("of kind %s take a time for each batch entry", (kind) => {
    const error = roundTrip(kind, plain, times(20, 700));
    // α and σ come from float32 tables, the same ones on both ways, so only v sees α² + σ² ≠ 1.
    expect(Math.max(error.x0, error.noise)).toBeLessThan(1e-6);
  });

  test("velocity is α·ε − σ·x0", () => {
    const v = targetFor("v", { x0, noise }, 300, plain);
    const wanted = noise.mul(plain.alpha(300)).sub(x0.mul(plain.sigma(300)));
    expect(largestDifference(v, wanted)).toBeLessThan(1e-15);
  });

  test("v and x0 work at pure noise, where v is −x0", () => {
    expect(roundTrip("v", terminal, 999)).toEqual({ x0: 0, noise: 0 });
    expect(roundTrip("x0", terminal, 999)).toEqual({ x0: 0, noise: 0 });
    expect(largestDifference(targetFor("v", { x0, noise }, 999, terminal), x0.neg())).toBe(0);
  });

  test("x0 from noise at pure noise is refused, for one time and for a batch", () => {
    const refusal =
      /got t = 999 where α = 0: x0 cannot be told from the noise; use a network that predicts v or x0/;
    expect(() => roundTrip("noise", terminal, 999)).toThrow(refusal);
    expect(() => roundTrip("noise", terminal, times(5, 999))).toThrow(refusal);
    expect(roundTrip("noise", terminal, times(5, 998)).x0).toBeLessThan(1e-3);
  });

  test("noise from x0 at a wholly clean level is refused", () => {
    const clean = new Schedule(Float64Array.of(1, 0.5, 0.1));
    expect(() => roundTrip("x0", clean, 0)).toThrow(/got t = 0 where σ = 0/);
    expect(roundTrip("x0", clean, 1).noise).toBeLessThan(1e-15);
  });

  test("come in the dtype of xt, whatever the network computes in", () => {
    const xt = plain.addNoise(x0, noise, 10).to("float32");
    const found = toPrediction("v", x0.to("bfloat16"), { xt, t: 10, schedule: plain });
    expect([found.x0.dtype, found.noise.dtype]).toEqual(["float32", "float32"]);
  });
});
