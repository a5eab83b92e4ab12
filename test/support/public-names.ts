import { readFileSync } from "node:fs";
import type { Tensor } from "../../src/engine/tensor.ts";

/** The lines of a committed list of names and shapes (`name<TAB>sizes`), sorted. */
export function listedNames(path: string): string[] {
  const text = readFileSync(new URL(`../golden/${path}`, import.meta.url), "utf8");
  return text.trim().split("\n").toSorted();
}

/** The same lines for weights at hand. */
export function namesOf(weights: ReadonlyMap<string, Tensor>): string[] {
  return [...weights].map(([name, { shape }]) => `${name}\t${shape.join(",")}`).toSorted();
}
