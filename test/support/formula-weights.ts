import { Tensor } from "../../src/engine/tensor.ts";

/** FNV-1a, 32 bits, over the UTF-8 bytes of `text`. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/**
 * Values that depend on a tensor's name and on each element's place alone:
 * `s_i = sin(phase(name) + (0.37 + chirp·i)·i)`.
 *
 * Matrices and convolutions get `s/√fanIn`, norm weights (one axis, named `…weight`) `1 + 0.1·s`, everything
 * else with at most one axis `0.1·s`. Without a chirp every matrix has rank 2, which makes deep networks amplify rounding
 * a hundredfold. `test/golden/formula_weights.py` computes the same.
 */
export function formulaValues(name: string, shape: readonly number[], chirp = 0): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const phase = (fnv1a(name) / 4294967296) * 2 * Math.PI;
  const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
  const isMatrix = shape.length >= 2;
  const offset = !isMatrix && name.endsWith("weight") ? 1 : 0;
  const scale = isMatrix ? 1 / Math.sqrt(fanIn) : 0.1;
  return Float32Array.from(
    { length: count },
    (_, i) => offset + scale * Math.sin(phase + (0.37 + chirp * i) * i),
  );
}

/** The formula's tensor for one name. */
export function formulaTensor(name: string, shape: readonly number[], chirp = 0): Tensor {
  return Tensor.from(formulaValues(name, shape, chirp), shape);
}

/** Input values of a golden test, `amplitude·s` for any shape. */
export function formulaInput(name: string, shape: readonly number[], amplitude = 1): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  const phase = (fnv1a(name) / 4294967296) * 2 * Math.PI;
  return Tensor.from(
    Float32Array.from({ length: count }, (_, i) => amplitude * Math.sin(phase + 0.37 * i)),
    shape,
  );
}
