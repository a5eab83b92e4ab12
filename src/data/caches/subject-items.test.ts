import { describe, expect, test } from "vitest";
import { renderFrame } from "../world/render.ts";
import { sampleScene } from "../world/sample.ts";
import { CLASS_OF, SUBJECTS } from "../world/scene.ts";
import { vocabulary } from "../world/language.ts";
import { SUBJECT_WORDS, wordsOf } from "../world/words.ts";
import { draw, SUBJECT_TASKS, subjectRequestAt } from "./subject-items.ts";

const SIZE = 48;
const owls = Array.from({ length: 24 }, (_, index) => subjectRequestAt("test", index, "owl"));

test("no sampled scene holds a subject, and each is called by a word that the world's vocabulary lacks", () => {
  const kinds = Array.from({ length: 200 }, (_, i) => sampleScene("train", i).objects).flat();
  const names: readonly string[] = SUBJECTS;
  expect(kinds.some(({ kind }) => names.includes(kind))).toBe(false);
  const known = vocabulary();
  for (const subject of SUBJECTS)
    for (const words of SUBJECT_WORDS[subject])
      expect(wordsOf(words).some((word) => !known.includes(word))).toBe(true);
});

describe.each(SUBJECTS)("%s", (subject) => {
  const [name] = SUBJECT_WORDS[subject];
  const requests = Array.from({ length: 24 }, (_, i) => subjectRequestAt("test", i, subject));

  test("is brought in by both tasks in turn, and requests say so", () => {
    expect(requests.map(({ task }) => task)).toEqual(
      requests.map((_, index) => SUBJECT_TASKS[index % SUBJECT_TASKS.length]),
    );
    for (const { instruction, inputCaption, outputCaption } of requests) {
      expect(instruction).toContain(name);
      expect(outputCaption).toContain(name);
      expect(inputCaption).not.toContain(name);
    }
  });

  test("comes into scenes that have nothing else of its kind", () => {
    const kinds = requests.flatMap(({ scene }) => scene.objects.map(({ kind }) => kind));
    expect(kinds).not.toContain(CLASS_OF[subject]);
  });

  test("is learned from pictures that show it under a caption that names it, once", () => {
    for (let index = 0; index < 40; index++) {
      const { text } = draw({ split: "train", name: subject }, index, SIZE);
      const told = wordsOf(String(text)).filter((word) => word === wordsOf(name).at(-1));
      expect(told).toHaveLength(1);
    }
    const { frames } = draw({ split: "train", name: subject }, 0, SIZE);
    expect(frames[0]).not.toEqual(renderFrame(sampleScene("train", 0), 0, SIZE));
  });
});

test("requests are a function of their index alone", () => {
  expect(subjectRequestAt("test", 7, "owl")).toEqual(owls[7]);
});
