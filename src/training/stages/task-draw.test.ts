import { expect, test } from "vitest";
import { Rng } from "../../engine/random.ts";
import { TASKS } from "../../data/world/tasks.ts";
import { drawByTask } from "./task-draw.ts";

const rng = Rng.seed(4);
const tasks = Array.from({ length: 70 }, (_, index) => TASKS[index % TASKS.length]!);
const items = tasks.map((task) => ({ task, inputCaption: "a ball" }));
const ALIKE = { taskOdds: {}, captionPower: 0 };
const COUNT = 4000;

function sharesOf(draw: ReturnType<typeof drawByTask>): Record<string, number> {
  const shares: Record<string, number> = {};
  for (let number = 0; number < COUNT; number++) {
    const task = tasks[draw(rng.split(number))]!;
    shares[task] = (shares[task] ?? 0) + 1 / COUNT;
  }
  return shares;
}

test("draws all items alike without odds", () => {
  const draw = drawByTask(items, ALIKE);
  expect(draw(rng.split(3))).toBe(rng.split(3).integer(tasks.length));
});

test("draws a task by its odds, and each of its items", () => {
  const draw = drawByTask(items, { ...ALIKE, taskOdds: { add: 3, style: 0 } });
  const shares = sharesOf(draw);
  expect(shares.style).toBeUndefined();
  expect(shares.add).toBeCloseTo(3 / 8, 1);
  expect(shares.texture).toBeCloseTo(1 / 8, 1);
  const drawn = new Set(Array.from({ length: COUNT }, (_, number) => draw(rng.split(number))));
  expect(drawn.size).toBe(60);
});

test("says what is wrong where nothing is left to draw", () => {
  const additions = items.filter(({ task }) => task === "add");
  expect(() => drawByTask(additions, { ...ALIKE, taskOdds: { add: 0 } })).toThrow(
    "stage.taskOdds leaves no task",
  );
});

test("draws items of a task by the words of their captions, to a power, and tasks as before", () => {
  const long = tasks.map((task, index) => ({
    task,
    inputCaption: index % 14 < 7 ? "a ball" : "a red ball  and a cat",
  }));
  const draw = drawByTask(long, { taskOdds: { add: 3 }, captionPower: 2 });
  expect(sharesOf(draw).add).toBeCloseTo(3 / 9, 1);
  const drawn = Array.from({ length: COUNT }, (_, number) => draw(rng.split(number)));
  // Six words against two, squared: nine times as often
  const share = drawn.filter((index) => index % 14 >= 7).length / COUNT;
  expect(share).toBeGreaterThan(0.87);
  expect(share).toBeLessThan(0.93);
  const all = drawByTask(long, { taskOdds: {}, captionPower: 1 });
  const evenly = Array.from({ length: COUNT }, (_, number) => all(rng.split(number)));
  expect(evenly.filter((index) => index % 14 >= 7).length / COUNT).toBeCloseTo(0.75, 1);
});
