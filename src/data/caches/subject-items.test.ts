import { expect, test } from "vitest";
import { renderFrame } from "../world/render.ts";
import { sampleScene } from "../world/sample.ts";
import { SUBJECTS } from "../world/scene.ts";
import { vocabulary } from "../world/language.ts";
import { draw, SUBJECT_TASKS, subjectRequestAt } from "./subject-items.ts";

const SIZE = 48;
const requests = Array.from({ length: 24 }, (_, index) => subjectRequestAt("test", index, "owl"));

test("no sampled scene holds a subject, and no word of the world's vocabulary names one", () => {
  const kinds = Array.from({ length: 200 }, (_, i) => sampleScene("train", i).objects).flat();
  const names: readonly string[] = SUBJECTS;
  expect(kinds.some(({ kind }) => names.includes(kind))).toBe(false);
  expect(vocabulary().some((word) => names.includes(word))).toBe(false);
});

test("requests bring the subject in by both tasks in turn, and say so", () => {
  expect(requests.map(({ task }) => task)).toEqual(
    requests.map((_, index) => SUBJECT_TASKS[index % SUBJECT_TASKS.length]),
  );
  for (const { instruction, inputCaption, outputCaption } of requests) {
    expect(instruction).toContain("owl");
    expect(outputCaption).toContain("owl");
    expect(inputCaption).not.toContain("owl");
  }
});

test("requests are a function of their index alone", () => {
  expect(subjectRequestAt("test", 7, "owl")).toEqual(requests[7]);
});

test("pictures to learn from show it under a caption that names it", () => {
  for (const index of [0, 1, 2]) {
    const { frames, text } = draw({ split: "train", name: "owl" }, index, SIZE);
    expect(text).toContain("owl");
    expect(frames[0]).not.toEqual(renderFrame(sampleScene("train", index), 0, SIZE));
  }
});
