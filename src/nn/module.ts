import { Tensor } from "../engine/tensor.ts";
import { DataError } from "../engine/errors.ts";
import { persist } from "../engine/scope.ts";

/** Every weight of a network by its dotted path of fields, in declaration order. */
export type Parameters = ReadonlyMap<string, Tensor>;

/**
 * A network or a piece of one: its fields are its weights and its parts.
 *
 * Parameters are found by reflection over own fields that hold tensors, modules, or arrays of modules;
 * names are the fields' (`downBlocks.0.resnets.1.conv1.weight`). Public checkpoint names are a mapping
 * in each model's `weights.ts`.
 */
export abstract class Module {
  /** All weights, frozen ones included. */
  parameters(): Parameters {
    const found = new Map<string, Tensor>();
    collect(this, "", found);
    return found;
  }

  /** Number of values in all weights. */
  parameterCount(): number {
    return [...this.parameters().values()].reduce((sum, weight) => sum + weight.size, 0);
  }

  /** Makes every weight a leaf to differentiate by, or a constant. */
  setTrainable(wanted: boolean): this {
    for (const weight of this.parameters().values()) weight.setRequiresGrad(wanted);
    return this;
  }
}

function collect(value: unknown, path: string, found: Map<string, Tensor>): void {
  if (value instanceof Tensor) {
    found.set(path, value);
  } else if (value instanceof Module || Array.isArray(value)) {
    for (const [key, child] of Object.entries(value))
      collect(child, path ? `${path}.${key}` : key, found);
  }
}

/** A weight: a tensor that outlives every scope. */
export function parameter(values: Tensor): Tensor {
  return persist(values.detach());
}

/** The weights of all `modules` by `<module>.<name>`. */
export function parametersOf(modules: Readonly<Record<string, Module>>): Parameters {
  const named = Object.entries(modules).flatMap(([prefix, module]) =>
    [...module.parameters()].map(([name, weight]) => [`${prefix}.${name}`, weight] as const),
  );
  return new Map(named);
}

/**
 * Overwrites the values of `target` with those of `source`, which must have the same names and shapes.
 *
 * Missing, unexpected and misshapen tensors are listed in one DataError; nothing is overwritten then.
 */
export function copyParameters(
  target: Parameters,
  source: ReadonlyMap<string, Tensor>,
  what: string,
): void {
  const missing = [...target.keys()].filter((name) => !source.has(name));
  const unexpected = [...source.keys()].filter((name) => !target.has(name));
  const misshapen = [...target].flatMap(([name, weight]) => {
    const given = source.get(name);
    if (!given || given.shape.join() === weight.shape.join()) return [];
    return [`${name} is [${given.shape.join(" ")}] instead of [${weight.shape.join(" ")}]`];
  });
  const faults = [
    ...listFault("missing", missing),
    ...listFault("unexpected", unexpected),
    ...listFault("of another shape", misshapen),
  ];
  if (faults.length > 0)
    throw new DataError(`${what} does not fit this model: ${faults.join("; ")}`);
  for (const [name, weight] of target) weight.detach().copyFrom(source.get(name)!);
}

function listFault(kind: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, 5).join(", ");
  return [`${names.length} tensors ${kind} (${shown}${names.length > 5 ? ", …" : ""})`];
}
