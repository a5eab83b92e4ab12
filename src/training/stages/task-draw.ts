import { DataError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { TASKS, type Task } from "../../data/world/tasks.ts";

/** How often each task is drawn beside the others; tasks without a number count 1. */
export type TaskOdds = Readonly<Partial<Record<Task, number>>>;

/** Chooses an item: a pure function of the generator. */
export type ItemDraw = (rng: Rng) => number;

/**
 * Draws among items of these tasks, given in the items' order: a task by its odds, then evenly one of its items. Without
 * odds all items are drawn alike.
 *
 * Deviation: the paper does not say how often a task is shown.
 *
 * @throws DataError where no task with items has odds above 0.
 */
export function drawByTask(tasks: readonly Task[], odds: TaskOdds): ItemDraw {
  if (Object.keys(odds).length === 0) return (rng) => rng.integer(tasks.length);
  const items = new Map(TASKS.map((task) => [task, [] as number[]]));
  tasks.forEach((task, index) => items.get(task)!.push(index));
  const drawn = [...items]
    .map(([task, indices]) => ({ indices, odds: odds[task] ?? 1 }))
    .filter((entry) => entry.odds > 0 && entry.indices.length > 0);
  const total = drawn.reduce((sum, entry) => sum + entry.odds, 0);
  if (total === 0) {
    throw new DataError("stage.taskOdds leaves no task to draw; give one with items odds above 0");
  }
  return (rng) => {
    let left = rng.split("task").uniform() * total;
    const chosen = drawn.find((entry) => (left -= entry.odds) < 0) ?? drawn.at(-1)!;
    return chosen.indices[rng.split("of task").integer(chosen.indices.length)]!;
  };
}
