import { DataError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { TASKS, type Task } from "../../data/world/tasks.ts";

/** How often each task is drawn beside the others; tasks without a number count 1. */
export type TaskOdds = Readonly<Partial<Record<Task, number>>>;

/** Chooses an item: a pure function of the generator. */
export type ItemDraw = (rng: Rng) => number;

/** What an item is drawn by. */
export interface TaskItem {
  readonly task: Task;
  /** What the input shows, in words. */
  readonly inputCaption: string;
}

/** How items are drawn. */
export interface DrawOptions {
  readonly taskOdds: TaskOdds;
  /** Within a task an item is drawn by the number of words of its caption, to this power; 0: all alike. */
  readonly captionPower: number;
}

/**
 * Draws among these items: a task by its odds, then one of its items, evenly or those with long captions more often. Without
 * odds all tasks are one.
 *
 * Deviation: the paper does not say how often a task is shown, nor that crowded scenes are.
 *
 * @throws DataError where no task with items has odds above 0.
 */
export function drawByTask(
  items: readonly TaskItem[],
  { taskOdds, captionPower }: DrawOptions,
): ItemDraw {
  const within = (indices: readonly number[]): ItemDraw => {
    if (captionPower === 0) return (rng) => indices[rng.integer(indices.length)]!;
    return drawByWeight(
      indices,
      indices.map((index) => wordsOf(items[index]!.inputCaption) ** captionPower),
    );
  };
  if (Object.keys(taskOdds).length === 0) return within([...items.keys()]);
  const drawn = TASKS.map((task) => ({
    odds: taskOdds[task] ?? 1,
    indices: [...items.keys()].filter((index) => items[index]!.task === task),
  })).filter(({ odds, indices }) => odds > 0 && indices.length > 0);
  if (drawn.length === 0) {
    throw new DataError("stage.taskOdds leaves no task to draw; give one with items odds above 0");
  }
  const task = drawByWeight(
    drawn.map(({ indices }) => within(indices)),
    drawn.map(({ odds }) => odds),
  );
  return (rng) => task(rng.split("task"))(rng.split("of task"));
}

/** One of `values`, as often as its weight says. */
function drawByWeight<T>(values: readonly T[], weights: readonly number[]): (rng: Rng) => T {
  let total = 0;
  const upTo = weights.map((weight) => (total += weight));
  return (rng) => {
    const place = rng.uniform() * total;
    let [low, high] = [0, upTo.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (place < upTo[middle]!) high = middle;
      else low = middle + 1;
    }
    return values[low]!;
  };
}

function wordsOf(caption: string): number {
  return Math.max(1, caption.split(/\s+/).filter(Boolean).length);
}
