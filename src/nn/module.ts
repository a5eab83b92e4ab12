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
    return new Map(weightFields(this, "").map(({ path, weight }) => [path, weight]));
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

/** Where a module or one of its lists holds a weight. */
interface WeightField {
  readonly path: string;
  readonly weight: Tensor;
  readonly owner: object;
  readonly key: string;
}

function weightFields(owner: object, prefix: string): WeightField[] {
  return Object.entries(owner).flatMap(([key, value]: [string, unknown]) => {
    const path = prefix ? `${prefix}.${key}` : key;
    if (value instanceof Tensor) return [{ path, weight: value, owner, key }];
    return value instanceof Module || Array.isArray(value) ? weightFields(value, path) : [];
  });
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
  refuseFaults(fitFaults(target, source), what);
  for (const [name, weight] of target) weight.detach().copyFrom(source.get(name)!);
}

/**
 * Puts the tensors of `source` in the place of the weights of `network`, which need no memory of their own
 * (`unallocated`). Names and shapes must be the same, as for `copyParameters`.
 *
 * The tensors are shared with the caller, in their own data type and on their own device.
 */
export function adoptParameters(
  network: Module,
  source: ReadonlyMap<string, Tensor>,
  what: string,
): void {
  refuseFaults(fitFaults(network.parameters(), source), what);
  for (const { path, owner, key } of weightFields(network, ""))
    Reflect.set(owner, key, parameter(source.get(path)!));
}

/** What keeps `source` from being the weights `target`, one phrase a kind of fault. */
export function fitFaults(
  target: Parameters,
  source: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): string[] {
  const misshapen = [...target].flatMap(([name, weight]) => {
    const given = source.get(name);
    if (!given || given.shape.join() === weight.shape.join()) return [];
    return [`${name} is [${given.shape.join(" ")}] instead of [${weight.shape.join(" ")}]`];
  });
  return [
    ...listFault(
      "missing",
      [...target.keys()].filter((name) => !source.has(name)),
    ),
    ...listFault(
      "unexpected",
      [...source.keys()].filter((name) => !target.has(name)),
    ),
    ...listFault("of another shape", misshapen),
  ];
}

/** Throws all `faults` of a file of weights as one DataError. */
export function refuseFaults(faults: readonly string[], what: string): void {
  if (faults.length > 0)
    throw new DataError(`${what} does not fit this model: ${faults.join("; ")}`);
}

/** One phrase for all tensors of a kind of fault: how many, and the first few. */
export function listFault(kind: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, 5).join(", ");
  return [`${names.length} tensors ${kind} (${shown}${names.length > 5 ? ", …" : ""})`];
}
