import { ShapeError } from "./errors.ts";
import type { Tensor } from "./tensor.ts";

type Words<Pattern extends string> = Pattern extends `${infer First} ${infer Rest}`
  ? First | Words<Rest>
  : Pattern;
type AxisName<Word extends string> = Word extends "_" | "" | `${number}` ? never : Word;

/** The axes that `pattern` names, each with its size. */
export type Sizes<Pattern extends string> = Readonly<Record<AxisName<Words<Pattern>>, number>>;

/**
 * Proves the shape of `x` and names its sizes: `const { b, f } = dims(x, "b f 3 h w")`.
 *
 * Words are axis names (a repeated name must repeat its size), integers (fixed sizes) or `_` (anything).
 */
export function dims<const Pattern extends string>(x: Tensor, pattern: Pattern): Sizes<Pattern> {
  const words = pattern.split(" ").filter(Boolean);
  const sizes: Record<string, number> = {};
  const { shape } = x;
  const fits =
    words.length === shape.length &&
    words.every((word, axis) => {
      const size = shape[axis] as number;
      if (word === "_") return true;
      const expected = /^\d+$/.test(word) ? Number(word) : (sizes[word] ??= size);
      return expected === size;
    });
  if (!fits) throw new ShapeError(`expected [${pattern}], got [${shape.join(" ")}]`);
  return sizes as Sizes<Pattern>;
}

type Group = readonly string[];

function parseSide(side: string): Group[] {
  const groups: Group[] = [];
  for (const match of side.matchAll(/\(([^)]*)\)|(\S+)/g)) {
    groups.push(
      match[1] === undefined ? [match[2] as string] : match[1].split(" ").filter(Boolean),
    );
  }
  return groups;
}

interface Plan {
  readonly left: readonly Group[];
  readonly right: readonly Group[];
  readonly order: readonly number[];
}

const plans = new Map<string, Plan>();

function planFor(pattern: string): Plan {
  const known = plans.get(pattern);
  if (known) return known;
  const [before, after] = pattern.split("->");
  if (before === undefined || after === undefined)
    throw new ShapeError(`expected "a b -> b a", got "${pattern}"`);
  const left = parseSide(before.trim());
  const right = parseSide(after.trim());
  const names = left.flat();
  const order = right.flat().map((name) => names.indexOf(name));
  if (order.includes(-1) || order.length !== names.length || new Set(order).size !== order.length) {
    throw new ShapeError(`both sides of "${pattern}" must name the same axes, each once`);
  }
  const plan = { left, right, order };
  plans.set(pattern, plan);
  return plan;
}

function axisSizes(
  x: Tensor,
  left: readonly Group[],
  given: Readonly<Record<string, number>>,
  pattern: string,
) {
  const sizes: Record<string, number> = { ...given };
  const { shape } = x;
  if (shape.length !== left.length)
    throw new ShapeError(`expected "${pattern}", got [${shape.join(" ")}]`);
  left.forEach((group, axis) => {
    const size = shape[axis] as number;
    const unknown = group.filter((name) => sizes[name] === undefined);
    const known = group.reduce((product, name) => product * (sizes[name] ?? 1), 1);
    const rest = size / known;
    const solvable =
      unknown.length === 0 ? rest === 1 : unknown.length === 1 && Number.isInteger(rest);
    if (!solvable) {
      throw new ShapeError(
        `axis (${group.join(" ")}) of "${pattern}" cannot hold ${size} with ${JSON.stringify(given)}`,
      );
    }
    for (const name of unknown) sizes[name] = rest;
  });
  return sizes;
}

/**
 * Reshapes and permutes by name: `rearrange(x, "(b f) c h w -> (b h w) f c", { f })`.
 *
 * Sizes inside a group that the shape does not settle are given; the rest follows.
 */
export function rearrange(
  x: Tensor,
  pattern: string,
  given: Readonly<Record<string, number>> = {},
): Tensor {
  const { left, right, order } = planFor(pattern);
  const sizes = axisSizes(x, left, given, pattern);
  const sizeOf = (name: string): number => sizes[name] as number;
  const productOf = (group: Group): number =>
    group.reduce((product, name) => product * sizeOf(name), 1);
  const isSplit = left.some((group) => group.length !== 1);
  const split = isSplit ? x.reshape(left.flat().map(sizeOf)) : x;
  const isMoved = order.some((from, to) => from !== to);
  const moved = isMoved ? split.permute(order) : split;
  const isMerged = right.some((group) => group.length !== 1);
  return isMerged ? moved.reshape(right.map(productOf)) : moved;
}
