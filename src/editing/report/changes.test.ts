import { describe, expect, test } from "vitest";
import { changeHints, type Changes } from "./changes.ts";

describe("changeHints", () => {
  const usual: Changes = {
    frames: 8,
    meanDifference: 9,
    changedShare: 0.2,
    flicker: { source: 2, result: 2.4 },
  };
  const settings: Parameters<typeof changeHints>[1] = {
    task: "object",
    further: [],
    strength: "balanced",
    mask: "",
    deflicker: "on",
  };
  const hints = (changes: Partial<Changes>, own: Partial<Parameters<typeof changeHints>[1]> = {}) =>
    changeHints({ ...usual, ...changes }, { ...settings, ...own })
      .map(({ message, advice }) => {
        const settingsTried = advice.map(({ setting, value = "…" }) => `${setting} ${value}`);
        return `${message}: ${settingsTried.join(", ")}`;
      })
      .join("; ");

  test("says nothing of a usual edit", () => {
    expect(hints({})).toBe("");
    expect(hints({ frames: 0, changedShare: 0 })).toBe("");
  });

  test("tells of an edit that changed almost nothing", () => {
    expect(hints({ changedShare: 0.001 })).toBe("almost nothing changed: strength bold");
    expect(hints({ changedShare: 0.001 }, { strength: "bold" })).toMatch(
      /nothing changed: seed …, instruction …$/,
    );
  });

  test("tells of a change of one thing that changed nearly everything", () => {
    expect(hints({ changedShare: 0.9 })).toMatch(
      /more than "object" asks for: strength keep, mask …$/,
    );
    expect(hints({ changedShare: 0.9 }, { strength: "keep" })).toMatch(/asks for: mask …$/);
    expect(hints({ changedShare: 0.9 }, { task: "style" })).toBe("");
    expect(hints({ changedShare: 0.9 }, { further: ["turn it into a sketch"] })).toBe("");
    expect(hints({ changedShare: 0.9 }, { mask: "mask.png" })).toBe("");
  });

  test("tells of a result that flickers, and not of one that only moves", () => {
    expect(hints({ flicker: { source: 2, result: 4.5 } })).toMatch(
      /flickers more.*: noise shared, strength keep/,
    );
    expect(hints({ flicker: { source: 2, result: 4.5 } }, { deflicker: "off" })).toMatch(
      /flickers more.*: deflicker on/,
    );
    expect(hints({ flicker: { source: 0.1, result: 1.9 } })).toBe("");
    expect(hints({ flicker: { source: 10, result: 15 } })).toBe("");
  });
});
