import { describe, expect, test } from "vitest";
import { normalsOn } from "./device-random.ts";
import { normal, philox, Rng, uniform } from "./random.ts";

function moments(values: Float32Array): {
  mean: number;
  variance: number;
  skew: number;
  kurtosis: number;
} {
  const average = (power: number, centre: number): number =>
    values.reduce((sum, value) => sum + (value - centre) ** power, 0) / values.length;
  const mean = average(1, 0);
  const variance = average(2, mean);
  return {
    mean,
    variance,
    skew: average(3, mean) / variance ** 1.5,
    kurtosis: average(4, mean) / variance ** 2,
  };
}

function correlation(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? NaN), 0) / a.length;
}

describe("philox", () => {
  // The known answers that Random123 publishes for philox4x32-10: counter, key, result.
  const ones = 0xffffffff;
  test.each([
    { counter: [0, 0, 0, 0], key: [0, 0], words: "6627e8d5 e169c58d bc57ac4c 9b00dbd8" },
    {
      counter: [ones, ones, ones, ones],
      key: [ones, ones],
      words: "408f276d 41c83b0e a20bc7c6 6d5451fd",
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      words: "d16cfe09 94fdcceb 5001e420 24126ea1",
    },
  ])("gives $words", ({ counter, key, words }) => {
    const found = Uint32Array.from(counter);
    philox(found, key[0] ?? NaN, key[1] ?? NaN);
    expect([...found].map((word) => word.toString(16).padStart(8, "0")).join(" ")).toBe(words);
  });
});

describe("a random source", () => {
  const rng = Rng.seed(2026);
  const count = 200_000;

  test("gives standard normal values", () => {
    const { mean, variance, skew, kurtosis } = moments(rng.split("moments").normals(count));
    // Four standard errors for 200,000 draws: 1/√n, √(2/n), √(6/n), √(24/n).
    expect(Math.abs(mean)).toBeLessThan(0.009);
    expect(Math.abs(variance - 1)).toBeLessThan(0.0127);
    expect(Math.abs(skew)).toBeLessThan(0.022);
    expect(Math.abs(kurtosis - 3)).toBeLessThan(0.044);
  });

  test("gives uniform values in [0, 1)", () => {
    const values = rng.split("uniform").uniforms(count);
    const { mean, variance } = moments(values);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.0026);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.0007);
  });

  test("gives integers below a count, each as often", () => {
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < 10_000; i++) {
      const drawn = rng.split(i).integer(5);
      counts[drawn] = (counts[drawn] ?? NaN) + 1;
    }
    expect(counts.length).toBe(5);
    // Chi-square with four degrees of freedom stays below 18.5 with probability 0.999.
    const chiSquare = counts.reduce((sum, found) => sum + (found - 2000) ** 2 / 2000, 0);
    expect(chiSquare).toBeLessThan(18.5);
  });

  test("depends on its key alone, not on what was drawn before or how much is drawn", () => {
    const again = Rng.seed(2026);
    again.normals(5);
    again.uniform();
    expect(again.split("noise").normals(7)).toEqual(rng.split("noise").normals(9).slice(0, 7));
    expect(Rng.seed(2026).key0).toBe(rng.key0);
  });

  test("splits into sources that have nothing to do with each other", () => {
    const sources = [
      rng,
      rng.split("a"),
      rng.split("b"),
      rng.split(0),
      rng.split(1),
      rng.split("a").split(0),
    ];
    const drawn = [...sources, Rng.seed(2027)].map((source) => source.normals(20_000));
    for (const [i, a] of drawn.entries()) {
      for (const b of drawn.slice(i + 1)) expect(Math.abs(correlation(a, b))).toBeLessThan(0.035);
    }
  });

  test("gives different keys to many indices, purposes and orders of splitting", () => {
    const keys = new Set<string>();
    const note = ({ key0, key1 }: Rng): unknown => keys.add(`${key0} ${key1}`);
    for (let i = 0; i < 20_000; i++) note(rng.split(i));
    for (const word of ["noise", "time", "drop"]) note(rng.split(word));
    note(rng.split("noise").split("time"));
    note(rng.split("time").split("noise"));
    expect(keys.size).toBe(20_005);
  });

  test("takes seeds beyond 32 bits", () => {
    expect(Rng.seed(2 ** 32 + 1).uniform()).not.toBe(Rng.seed(1).uniform());
  });

  test("fills tensors row by row with its values", () => {
    expect(normal(rng, [2, 3]).toFloat32Array()).toEqual(rng.normals(6));
    expect(uniform(rng, [5]).toFloat32Array()).toEqual(rng.uniforms(5));
    expect(normal(rng, []).shape).toEqual([]);
  });
});

describe("noise drawn by operators, as on a GPU", () => {
  test("is that of JavaScript, to float32's rounding, whatever the count", () => {
    const rng = Rng.seed(2026).split("operators");
    for (const count of [1, 4, 1003]) {
      const wanted = rng.normals(count);
      const found = normalsOn("cpu", rng, [count]).toFloat32Array();
      expect(found.length).toBe(count);
      found.forEach((value, i) => expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-6));
    }
  });
});
