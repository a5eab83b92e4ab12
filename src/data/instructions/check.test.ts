import { describe, expect, test } from "vitest";
import { faultOf, normalised, tidied } from "./check.ts";
import type { Draft } from "./record.ts";

const caption = "a red fox in a meadow";
const draft = (task: Draft["task"], instruction: string, outputCaption: string): Draft => {
  return { task, instruction, outputCaption };
};

test.each([
  draft("style", "make it a watercolor painting", "a watercolor painting of a red fox in a meadow"),
  draft("background", "let it happen at night", "a red fox at night"),
  draft("object", "Swap the fox for a wolf!", "a wolf in a meadow"),
  draft("multiple", "paint the fox blue, then remove the meadow", "a blue fox"),
  draft("add", "the fox should wear a hat", "a red fox wearing a hat in a meadow"),
  draft("remove", "get rid of the fox", "a meadow"),
  draft("texture", "cover the fox with stripes", "a striped fox in a meadow"),
])("a good draft has no fault: $task", (good) => {
  expect(faultOf(good, caption, ["something else"])).toBeUndefined();
});

test.each([
  [draft("style", "ink", "a red fox, ink"), "the instruction has fewer than 4 characters"],
  [
    draft("style", "水彩画にして", "水彩画のボール"),
    /^instructions and captions have to be in English/,
  ],
  [draft("style", "make it sepia", "лиса"), /^instructions and captions have to be in English/],
  [draft("style", "sepia", "a red fox, sepia"), "the instruction is a single word"],
  [draft("style", "make it so".repeat(30), "x y z"), /instruction has more than 200 characters/],
  [draft("style", "make it sepia", "x".repeat(501)), /output caption has more than 500/],
  [
    draft("object", "turn it blue", "A red fox, in the meadow."),
    "the output caption is the input caption",
  ],
  [draft("object", "A red fox in a meadow!", "a wolf"), "the instruction is the input caption"],
  [
    draft("object", "a wolf in a meadow", "A wolf in a meadow."),
    "the instruction is the output caption",
  ],
  [draft("remove", "make the fox blue", "a blue fox"), "the instruction removes nothing"],
  [draft("add", "remove the fox", "a meadow"), "the instruction only removes"],
  [
    draft("multiple", "make the fox blue", "a blue fox"),
    "the instruction asks for one edit, not two",
  ],
  [draft("add", "add a second fox", "a fox"), "the output caption names nothing new"],
])("a draft that is no use is told why: %j", (bad, fault) => {
  expect(faultOf(bad, caption, [])).toMatch(fault);
});

describe("an instruction that the clip has already", () => {
  test("is one that says the same in other little words, case and marks", () => {
    const again = draft("style", "Please, make it SEPIA!", "a red fox in a meadow, sepia");
    expect(faultOf(again, caption, ["make it sepia"])).toBe(
      "the clip has that instruction already",
    );
    expect(faultOf(again, caption, ["make it a poster"])).toBeUndefined();
  });

  test("is compared by telling words, or by all where there is none", () => {
    expect(normalised("Could you make the  Ball—blue?")).toBe("make ball blue");
    expect(normalised("is it?")).toBe("is it");
    expect(normalised("Füchse & Wölfe")).toBe("füchse wölfe");
  });
});

test("drafts lose line breaks, and quotes around them", () => {
  const quoted = draft("style", " “make\n it sepia” ", '"a fox"');
  expect(tidied(quoted)).toEqual(draft("style", "make it sepia", "a fox"));
});
