import { Tensor, type Float } from "../../engine/tensor.ts";
import { ModuleMap } from "../../nn/module-map.ts";
import { Module, parameter } from "../../nn/module.ts";

/** How strongly an adapter is heard at one of its places. */
class Strength extends Module {
  readonly value: Float<"">;

  constructor(value: number) {
    super();
    this.value = parameter(Tensor.full([], value));
  }
}

/** Strengths by place of an adapter, as a file holds them. */
export type StrengthValues = Readonly<Record<string, number>>;

/**
 * How strongly an adapter is heard at each of its places: what an alignment can learn of the stacking itself, beside its
 * LoRA (§3.1). Parameters are named `<place>.value`; one is as the adapter was trained.
 *
 * Deviation: the paper's adapters are stacked as they are.
 */
export class Strengths extends ModuleMap<Strength> {
  constructor(values: StrengthValues) {
    super(new Map(Object.entries(values).map(([place, value]) => [place, new Strength(value)])));
  }

  /** The strengths by place. */
  values(): StrengthValues {
    return Object.fromEntries(
      [...this.entries()].map(([place, { value }]) => [place, value.item()]),
    );
  }
}

/** The same strength at all places. */
export function alike(places: readonly string[], strength: number): StrengthValues {
  return Object.fromEntries(places.map((place) => [place, strength]));
}

/** From `alone`, 0, to `heard`, 1, which it is bit for bit. */
export function between(alone: Tensor, heard: Tensor, strength: Tensor): Tensor {
  return heard.add(heard.sub(alone).mul(strength.sub(1)));
}
