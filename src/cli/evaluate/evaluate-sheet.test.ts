import { expect, test } from "vitest";
import { UserError } from "../../engine/errors.ts";
import { clipPlaces } from "./evaluate-sheet.ts";

test("clips are named by task and index, as the events of evaluate world name them", async () => {
  expect(await clipPlaces("style:0, remove:12")).toEqual([
    { task: "style", index: 0 },
    { task: "remove", index: 12 },
  ]);
});

test.each([
  ["style", '--clips: expected task:index such as style:0, got "style"'],
  ["styel:0", "did you mean style?"],
  ["style:x", "--clips: expected a whole number, at least 0"],
  ["style:0:1", "--clips: expected task:index"],
])("%s is refused in one sentence", async (text, sentence) => {
  await expect(clipPlaces(text)).rejects.toThrow(UserError);
  await expect(clipPlaces(text)).rejects.toThrow(sentence);
});
