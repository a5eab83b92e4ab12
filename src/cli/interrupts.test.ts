import { expect, test } from "vitest";
import { Interrupts } from "./interrupts.ts";

/** What signals at these seconds ask for. */
function answers(...seconds: readonly number[]): string[] {
  const clock = [...seconds];
  const interrupts = new Interrupts(() => clock.shift()!);
  return seconds.map(() => interrupts.received());
}

test("the first signal asks to stop after the step, a second one to stop at once", () => {
  expect(answers(100, 101)).toEqual(["stop", "stop at once"]);
});

test("a signal to the process and to its group is one, however often it comes within half a second", () => {
  expect(answers(7, 7, 7.01, 7.4)).toEqual(["stop", "nothing", "nothing", "nothing"]);
  expect(answers(7, 7.001, 9)).toEqual(["stop", "nothing", "stop at once"]);
});
