import { expect, test } from "vitest";
import { Rng } from "../../engine/random.ts";
import { TASKS } from "../../data/world/tasks.ts";
import { drawByTask } from "./task-draw.ts";

const rng = Rng.seed(4);
const tasks = Array.from({ length: 70 }, (_, index) => TASKS[index % TASKS.length]!);
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
  const draw = drawByTask(tasks, {});
  expect(draw(rng.split(3))).toBe(rng.split(3).integer(tasks.length));
});

test("draws a task by its odds, and each of its items", () => {
  const draw = drawByTask(tasks, { add: 3, style: 0 });
  const shares = sharesOf(draw);
  expect(shares.style).toBeUndefined();
  expect(shares.add).toBeCloseTo(3 / 8, 1);
  expect(shares.texture).toBeCloseTo(1 / 8, 1);
  const drawn = new Set(Array.from({ length: COUNT }, (_, number) => draw(rng.split(number))));
  expect(drawn.size).toBe(60);
});

test("says what is wrong where nothing is left to draw", () => {
  expect(() => drawByTask(["add", "add"], { add: 0 })).toThrow("stage.taskOdds leaves no task");
});
