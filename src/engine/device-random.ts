import { scoped } from "./scope.ts";
import { Tensor, dispatch, type Int } from "./tensor.ts";

const LOW_WORD = 0xffffffff;
const LOW_HALF = 0xffff;

/** The 32-bit words of one Philox block per element, int64. */
type Words = readonly [Int<"n">, Int<"n">, Int<"n">, Int<"n">];

function and(a: Int, mask: number): Int {
  return dispatch("aten::bitwise_and.Scalar", a, mask);
}

function shifted(a: Int, bits: number): Int {
  return dispatch("aten::bitwise_right_shift.Tensor_Scalar", a, bits);
}

function xor(a: Int, b: Int | number): Int {
  return b instanceof Tensor
    ? dispatch("aten::bitwise_xor.Tensor", a, b)
    : dispatch("aten::bitwise_xor.Scalar", a, b);
}

/** High and low word of `factor · word`; in halves, for the whole product would not fit. */
function product(factor: number, word: Int): { high: Int; low: Int } {
  const byLow = and(word, LOW_HALF).mul(factor);
  const byHigh = shifted(word, 16).mul(factor).add(shifted(byLow, 16));
  const low = and(byHigh, LOW_HALF).mul(LOW_HALF + 1);
  return { high: shifted(byHigh, 16), low: low.add(and(byLow, LOW_HALF)) };
}

/** Philox 4×32-10, as `philox` in random.ts, over many blocks at once. */
function philoxBlocks(blocks: Int<"n">, stream: number, key0: number, key1: number): Words {
  const nothing = blocks.mul(0);
  let [c0, c1, c2, c3]: Words = [
    and(blocks, LOW_WORD),
    shifted(blocks, 32),
    nothing.add(stream),
    nothing,
  ];
  let k0 = key0;
  let k1 = key1;
  for (let round = 0; round < 10; round++) {
    const first = product(0xd2511f53, c0);
    const second = product(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [
      xor(xor(second.high, c1), k0),
      second.low,
      xor(xor(first.high, c3), k1),
      first.low,
    ];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/**
 * The values of `rng.normals`, drawn by tensor operators on `device`: the same to float32's rounding.
 *
 * A GPU step shows millions of values of noise, which JavaScript would take longer to draw than the step takes.
 */
export function normalsOn(
  device: string,
  { key0, key1 }: { readonly key0: number; readonly key1: number },
  shape: readonly number[],
): Tensor {
  return scoped(() => {
    const count = shape.reduce((all, size) => all * size, 1);
    const blocks = Tensor.arange(Math.ceil(count / 4), "int64", device);
    const words = philoxBlocks(blocks, 1, key0, key1);
    const pairs = [
      [words[0], words[1]],
      [words[2], words[3]],
    ] as const;
    const values = pairs.flatMap(([length, turn]) => {
      const radius = length.to("float64").add(1).div(4294967297).log().mul(-2).sqrt();
      const angle = turn.to("float64").mul((2 * Math.PI) / 4294967296);
      return [radius.mul(angle.cos()), radius.mul(angle.sin())];
    });
    return Tensor.stack(values, 1).to("float32").reshape([-1]).narrow(0, 0, count).reshape(shape);
  });
}
