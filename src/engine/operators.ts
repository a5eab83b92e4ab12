import { invariant } from "./errors.ts";
import { door } from "./native.ts";

const operators = new Map<string, number>();

function findOperator(name: string): number | null {
  const known = operators.get(name);
  if (known !== undefined) return known;
  const [base = name, overload = ""] = name.split(".");
  const found = door().find(base, overload);
  if (found !== null) operators.set(name, found);
  return found;
}

/** The number by which the door knows the operator `name`, e.g. `aten::add.Tensor`. */
export function operatorNumber(name: string): number {
  const found = findOperator(name);
  invariant(found !== null, `this libtorch has no operator ${name}`);
  return found;
}

/** Whether this libtorch registers `name`, e.g. `aten::scaled_dot_product_attention`. */
export function hasOperator(name: string): boolean {
  return findOperator(name) !== null;
}
