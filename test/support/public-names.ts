import { readFileSync } from "node:fs";
import type { Tensor } from "../../src/engine/tensor.ts";

/** The lines of a committed list of names and shapes (`name<TAB>sizes`), sorted. */
export function listedNames(path: string): string[] {
  const text = readFileSync(new URL(`../golden/${path}`, import.meta.url), "utf8");
  // not trimmed: a scalar's line ends with its tab
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.toSorted();
}

/** The same lines for weights at hand. */
export function namesOf(weights: ReadonlyMap<string, Tensor>): string[] {
  return [...weights].map(([name, { shape }]) => `${name}\t${shape.join(",")}`).toSorted();
}
