import { describe, expect, test } from "vitest";
import { readSettings, resolveSettings } from "./settings.ts";
import { evaluationsPerStep, guidanceFor, STRENGTHS } from "./strength.ts";

const model = { name: "m", window: 8, hasVideoAdapter: true, hasAlignment: false };
const resolved = (own: Record<string, unknown>) =>
  resolveSettings(readSettings({ instruction: "make it snow", ...own }), model);

describe("the strength of an edit", () => {
  test("rises in how closely the words are followed, relative to the input frame", () => {
    const ratios = STRENGTHS.map((name) => guidanceFor(name)).map(
      ({ text, image }) => text / image,
    );
    expect(ratios).toEqual(ratios.toSorted((a, b) => a - b));
    expect(new Set(ratios).size).toBe(STRENGTHS.length);
  });

  test("is balanced by default, which asks the network once a step", () => {
    expect(resolved({})).toMatchObject({ strength: "balanced", guidance: { text: 1, image: 1 } });
    expect(evaluationsPerStep(guidanceFor("balanced"))).toBe(1);
    expect(evaluationsPerStep({ text: 3, image: 1 })).toBe(2);
    expect(evaluationsPerStep({ text: 3, image: 2 })).toBe(3);
    expect(evaluationsPerStep({ text: 2, image: 2 })).toBe(2);
  });

  test("gives way to a scale that is given, for that scale alone", () => {
    const { text, image } = guidanceFor("bold");
    expect(resolved({ strength: "bold", guidance: { text: 5 } }).guidance).toEqual({
      text: 5,
      image,
    });
    expect(resolved({ strength: "bold", guidance: { image: 2 } }).guidance).toEqual({
      text,
      image: 2,
    });
  });

  test("resolved once is resolved for good: a receipt repeats what was drawn", () => {
    const first = resolved({ strength: "bold" });
    expect(resolved(first)).toEqual(first);
  });

  test.each([
    [{ strength: "huge" }, /strength: expected one of keep, balanced, bold, got "huge"/],
    [{ guidance: { text: 31 } }, /guidance\.text: expected a number from 0 to 30, got 31/],
  ])("%j is refused in one sentence", (own, sentence) => {
    expect(() => resolved(own)).toThrow(sentence);
  });
});
