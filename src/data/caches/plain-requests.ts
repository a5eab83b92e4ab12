import { sampleEdit, type WorldEdit } from "../world/edits.ts";
import type { Split } from "../world/splits.ts";
import type { Task } from "../world/tasks.ts";

/** Requests that are tried for one that will do. */
const ATTEMPTS = 64;

/**
 * Request `index` of a series in which `tasks` take turns: the first that is about a plain scene and that `accept` makes
 * something of. `number` is the request's own in its split.
 */
export function plainRequestAt(
  split: Split,
  index: number,
  tasks: readonly Task[],
  accept: (request: WorldEdit, number: number) => WorldEdit | null,
): WorldEdit {
  const task = tasks[index % tasks.length]!;
  const first = Math.floor(index / tasks.length) * ATTEMPTS;
  for (let number = first; number < first + ATTEMPTS; number++) {
    const request = sampleEdit(split, number, task);
    const accepted = request.scene.style === "plain" ? accept(request, number) : null;
    if (accepted !== null) return accepted;
  }
  throw new RangeError(`expected a request that will do among ${ATTEMPTS} of ${task}, found none`);
}
