import { describe, expect, test } from "vitest";
import { frameNoise } from "./frame-noise.ts";

const shape = [12, 4, 4];
const values = (
  first: number,
  count: number,
  seed = 5,
  mode: "independent" | "shared" = "independent",
) => frameNoise(first, count, { seed, mode, shape }).toFloat32Array();

describe("frameNoise", () => {
  test("gives a frame the same noise in every window", () => {
    const all = values(0, 6);
    expect(values(4, 2)).toEqual(all.subarray(4 * 192));
    expect(values(2, 1)).toEqual(all.subarray(2 * 192, 3 * 192));
  });

  test("differs between frames and between seeds", () => {
    const all = values(0, 2);
    expect(all.subarray(0, 192)).not.toEqual(all.subarray(192));
    expect(values(0, 1, 6)).not.toEqual(values(0, 1, 5));
  });

  test("is less at a lower temperature, the same otherwise", () => {
    const options = { seed: 5, mode: "independent", shape } as const;
    const half = frameNoise(0, 2, { ...options, temperature: 0.5 }).toFloat32Array();
    expect(half).toEqual(values(0, 2).map((value) => value / 2));
    const none = frameNoise(0, 2, { ...options, temperature: 0 });
    expect(none.abs().max().item()).toBe(0);
  });

  test("is frame 0's everywhere where it is shared", () => {
    const first = values(0, 1);
    expect(values(7, 2, 5, "shared")).toEqual(Float32Array.from([...first, ...first]));
  });
});
