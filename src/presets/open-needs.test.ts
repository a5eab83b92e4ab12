import { describe, expect, test } from "vitest";
import { publicLimits, requireData, requireShape } from "./open-needs.ts";

const limits = { maxFrames: 32, multiple: 64 };

describe("what the open preset needs", () => {
  test("are clips of no more frames than the motion modules take, and sides that can be halved", () => {
    for (const shape of [
      { frames: 32, size: 512 },
      { frames: 1, size: 64 },
    ])
      expect(() => requireShape("data/mine", shape, limits)).not.toThrow();
    expect(() => requireShape("data/mine", { frames: 33, size: 512 }, limits)).toThrow(
      "data/mine holds clips of 33 frames, the motion modules take 32 at most: prepare the clips again, into another folder",
    );
    expect(() => requireShape("data/mine", { frames: 33, size: 500 }, limits)).toThrow(
      /33 frames, .* and pictures of 500 × 500, sides have to be multiples of 64: prepare/,
    );
  });

  test("is known of the public networks without their weights", () => {
    expect(publicLimits()).toEqual(limits);
  });

  test("is a data set", () => {
    expect(requireData({ data: "data/mine" })).toBe("data/mine");
    expect(() => requireData({ data: null })).toThrow(/eve data prepare .* --model open/);
  });
});
