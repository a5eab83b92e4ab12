import { describe, expect, test } from "vitest";
import { dims, rearrange } from "./axes.ts";
import { ShapeError } from "./errors.ts";
import { Tensor } from "./tensor.ts";

const x = Tensor.arange(24).reshape([2, 3, 4]);
const values = (tensor: Tensor): number[] => [...tensor.toFloat32Array()];

describe("dims", () => {
  test("names the sizes of the axes", () => {
    expect(dims(x, "b 3 n")).toEqual({ b: 2, n: 4 });
    expect(dims(x, "_ _ n")).toEqual({ n: 4 });
    expect(dims(Tensor.ones([5, 2, 5]), "n k n")).toEqual({ n: 5, k: 2 });
    expect(dims(Tensor.scalar(1), "")).toEqual({});
  });

  test.each([
    ["b n", "expected [b n], got [2 3 4]"],
    ["b 5 n", "expected [b 5 n], got [2 3 4]"],
    ["n k n", "expected [n k n], got [2 3 4]"],
  ])("refuses %s", (pattern, sentence) => {
    expect(() => dims(x, pattern)).toThrow(ShapeError);
    expect(() => dims(x, pattern)).toThrow(sentence);
  });
});

describe("rearrange", () => {
  test("moves axes", () => {
    const moved = rearrange(x, "a b c -> c a b");
    expect(moved.shape).toEqual([4, 2, 3]);
    expect(values(moved)).toEqual(values(x.permute([2, 0, 1])));
  });

  test("merges and splits axes, and undoes it", () => {
    const merged = rearrange(x, "a b c -> (c a) b");
    expect(merged.shape).toEqual([8, 3]);
    expect(values(rearrange(merged, "(c a) b -> a b c", { a: 2 }))).toEqual(values(x));
  });

  test("folds frames into the batch and pixels into tracks", () => {
    const video = Tensor.arange(2 * 3 * 2 * 1 * 2).reshape([6, 2, 1, 2]);
    const tracks = rearrange(video, "(b f) c h w -> (b h w) f c", { f: 3 });
    expect(tracks.shape).toEqual([4, 3, 2]);
    // Batch 1, pixel (0, 1), frame 2, channel 0 lies at ((5·2 + 0)·1 + 0)·2 + 1.
    expect(tracks.select(0, 3).select(0, 2).select(0, 0).item()).toBe(21);
  });

  test("returns the tensor itself where nothing changes", () => {
    expect(rearrange(x, "a b c -> a b c")).toBe(x);
  });

  test.each([
    ["a b -> b a", {}, 'expected "a b -> b a", got [2 3 4]'],
    ["a b c -> a b", {}, 'both sides of "a b c -> a b" must name the same axes, each once'],
    ["a b b -> a b", {}, "must name the same axes, each once"],
    ["a b c", {}, 'expected "a b -> b a", got "a b c"'],
    [
      "a b (c d) -> a b c d",
      { c: 3 },
      'axis (c d) of "a b (c d) -> a b c d" cannot hold 4 with {"c":3}',
    ],
    ["a b (c d) -> a b c d", {}, "axis (c d)"],
    ["a b c -> c b a", { a: 5 }, "axis (a)"],
  ])("refuses %s with %j", (pattern, given, sentence) => {
    expect(() => rearrange(x, pattern, given)).toThrow(ShapeError);
    expect(() => rearrange(x, pattern, given)).toThrow(sentence);
  });
});
