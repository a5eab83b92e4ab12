// Arithmetic of convolutions and matrix products, counted where operators are called.
import { invariant } from "../src/engine/errors.ts";
import { door, type Door } from "../src/engine/native.ts";
import { hasOperator, operatorNumber } from "../src/engine/operators.ts";

/** Shapes of the first two operands and of the result. */
interface Call {
  readonly shapes: readonly (readonly number[])[];
  readonly output: readonly number[];
}

const product = (shape: readonly number[]): number =>
  shape.reduce((all, length) => all * length, 1);

/** Multiply-adds by operator; the first operands are those that a gradient may be asked of. */
const RULES: Readonly<Record<string, (call: Call) => number>> = {
  "aten::conv1d": ({ shapes, output }) => product(output) * product(shapes[1]!.slice(1)),
  "aten::conv2d": ({ shapes, output }) => product(output) * product(shapes[1]!.slice(1)),
  "aten::linear": ({ shapes }) => product(shapes[0]!) * shapes[1]![0]!,
  "aten::matmul": ({ shapes, output }) => product(output) * shapes[0]!.at(-1)!,
  "aten::bmm": ({ shapes, output }) => product(output) * shapes[0]!.at(-1)!,
};
const ATTENTION = "aten::scaled_dot_product_attention";
/** Products in the backward pass of fused attention, for two in the forward pass: the scores are computed again. */
const ATTENTION_BACKWARD = 5 / 2;

function described(handle: unknown): ReturnType<Door["describeTensor"]> {
  invariant(typeof handle === "number", "operands of products are tensors");
  return door().describeTensor(handle);
}
const shapeOf = (handle: unknown): readonly number[] => described(handle).slice(3).map(Number);
const hasGradient = (handle: unknown): boolean => described(handle)[2];

/** Floating-point operations (two for each multiply-add), from `new` until `stop`. */
export class MatrixWork {
  flops = 0;
  readonly #door = door();
  readonly #call = this.#door.call.bind(this.#door);

  /**
   * Counts calls from JavaScript and, where they record a graph, the products of the one backward pass through it: one
   * for each operand that a gradient is asked of. What is computed again in that pass is called from JavaScript, too.
   */
  constructor() {
    const rules = new Map(
      Object.entries(RULES).map(([name, rule]) => [operatorNumber(name), rule]),
    );
    const attention = hasOperator(ATTENTION) ? operatorNumber(ATTENTION) : null;
    this.#door.call = (operator, ...args) => {
      const result = this.#call(operator, ...args);
      const rule = rules.get(operator);
      if (rule) {
        const operands = args.slice(0, 2);
        const call = { shapes: operands.map(shapeOf), output: shapeOf(result) };
        const asked = hasGradient(result) ? operands.filter(hasGradient).length : 0;
        this.flops += 2 * rule(call) * (1 + asked);
      } else if (operator === attention) {
        const [q, k, v] = args.slice(0, 3).map(shapeOf);
        const products =
          2 * product(q!) * k!.at(-2)! + 2 * product(q!.slice(0, -1)) * product(v!.slice(-2));
        this.flops += products * (1 + (hasGradient(result) ? ATTENTION_BACKWARD : 0));
      }
      return result;
    };
  }

  /** Ends counting; gives the sum. */
  stop(): number {
    this.#door.call = this.#call;
    return this.flops;
  }
}
