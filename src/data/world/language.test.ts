import { describe, expect, test } from "vitest";
import { sampleSentences } from "./corpus.ts";
import { sampleEdit } from "./edits.ts";
import { inferTask, LONGEST_SENTENCE, vocabulary } from "./language.ts";
import { SPLITS } from "./splits.ts";
import { TASKS } from "./tasks.ts";
import { CAPTIONS, INSTRUCTIONS, JOINS, STYLED_CAPTIONS, type Wording } from "./templates.ts";
import { wordsOf } from "./words.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);
const WORDINGS: readonly Wording[] = [
  ...Object.values(INSTRUCTIONS),
  JOINS,
  CAPTIONS,
  STYLED_CAPTIONS,
];

const sentences = (split: (typeof SPLITS)[number], count: number) =>
  range(count).flatMap((i) => Object.values<string>({ ...sampleSentences(split, i) }));

describe("sentences", () => {
  test("depend on split and index alone", () => {
    expect(sampleSentences("train", 7)).toEqual(sampleSentences("train", 7));
    expect(sampleSentences("train", 7)).not.toEqual(sampleSentences("test", 7));
  });

  test("are plain ASCII of at most thirty words, with every brace filled and every article right", () => {
    for (const sentence of SPLITS.flatMap((split) => sentences(split, 300))) {
      expect(sentence).toMatch(/^[a-z][a-z, ]*[a-z]$/);
      expect(sentence).not.toMatch(/ {2}|\ba [aeio]|\ban [^aeiou]|\ba un?m/);
      expect(wordsOf(sentence).length).toBeLessThanOrEqual(LONGEST_SENTENCE);
    }
  });

  test("use no word outside the vocabulary", () => {
    const known = new Set(vocabulary());
    const used = new Set(sentences("train", 2500).flatMap(wordsOf));
    expect([...used].filter((word) => !known.has(word))).toEqual([]);
    expect([...known].filter((word) => !used.has(word))).toEqual([]);
  });

  test("of the test split use no word that training does not", () => {
    const seen = new Set(sentences("train", 2500).flatMap(wordsOf));
    const asked = sentences("test", 1000).flatMap(wordsOf);
    expect(asked.filter((word) => !seen.has(word))).toEqual([]);
  });

  test("have wordings that only the test split sees", () => {
    for (const { train, test: kept } of WORDINGS) {
      expect(kept.length).toBeGreaterThan(0);
      expect(kept.filter((template) => train.includes(template))).toEqual([]);
    }
    const hidden = [
      /^have .* disappear$/,
      /^dress .* in /,
      / and then /,
      /^turn everything into /,
      / as a blueprint$/,
    ];
    const isHidden = (sentence: string) =>
      hidden.slice(0, 4).some((pattern) => pattern.test(sentence));
    const asked = (split: "train" | "test") =>
      TASKS.flatMap((task) => range(100).map((i) => sampleEdit(split, i, task).instruction));
    expect(asked("train").filter(isHidden)).toEqual([]);
    expect(asked("test").filter(isHidden).length).toBeGreaterThan(10);
  });

  test("word one edit in many ways", () => {
    const pairs = range(300).map((i) => sampleSentences("train", i));
    const varied = pairs.filter((pair) => pair.instruction !== pair.instructionParaphrase);
    expect(varied.length).toBeGreaterThan(270);
  });
});

describe("the task of an instruction", () => {
  test.each([
    ["make the ball blue", "texture"],
    ["make it blue", "texture"],
    ["Make the fox striped!", "texture"],
    ["turn the car into a wooden one", "texture"],
    ["make the ball blue and striped", "texture"],
    ["turn the background into a night sky", "background"],
    ["put the fox in a forest", "background"],
    ["remove the hat", "remove"],
    ["get rid of the cat", "remove"],
    ["add a hat to the fox", "add"],
    ["give the fox a hat", "add"],
    ["add a red ball in the top left corner", "add"],
    ["make it a pencil sketch", "style"],
    ["make it black and white", "style"],
    ["make it look like van gogh", "style"],
    ["replace the cat with a dog", "object"],
    ["turn the cat into a dog", "object"],
    ["make the ball blue and the background a night sky", "multiple"],
    ["remove the hat and make the fox red", "multiple"],
  ])("%s: %s", (instruction, task) => {
    expect(inferTask(instruction)).toBe(task);
  });

  test.each(SPLITS)("is inferred right for 97 of 100 instructions of the %s split", (split) => {
    const requests = TASKS.flatMap((task) => range(60).map((i) => sampleEdit(split, i, task)));
    const right = requests.filter(({ task, instruction }) => inferTask(instruction) === task);
    expect(right.length / requests.length).toBeGreaterThanOrEqual(0.97);
  });

  test("is one of the seven for any text", () => {
    for (const text of ["", "!!!", "and", "the", "x".repeat(10_000)])
      expect(TASKS).toContain(inferTask(text));
  });
});
