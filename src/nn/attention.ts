import { dims, rearrange } from "../engine/axes.ts";
import { dtypeCode } from "../engine/dtype.ts";
import { ConfigError, ShapeError } from "../engine/errors.ts";
import type { Rng } from "../engine/random.ts";
import { hasOperator } from "../engine/operators.ts";
import { scoped } from "../engine/scope.ts";
import { Tensor, dispatch, dispatchMany, type Float } from "../engine/tensor.ts";
import { Linear } from "./linear.ts";
import { plainLayer, type ApplyLayer } from "./lora.ts";
import { Module } from "./module.ts";

/** Scores held at once: more are worked off in blocks of queries. 4 Mi float32 scores are 16 MiB. */
const SCORES_AT_ONCE = 4 * 1024 * 1024;

const FUSED = "aten::scaled_dot_product_attention";

/**
 * `softmax(q·kᵀ/√d)·v`, separately for every batch entry b and head a.
 *
 * The result may be a permuted view. libtorch 2's fused operator where there is one, else `attendInBlocks`.
 */
export function attend(
  q: Float<"b a n d">,
  k: Float<"b a m d">,
  v: Float<"b a m d">,
): Float<"b a n d"> {
  return hasOperator(FUSED) ? dispatch(FUSED, q, k, v) : attendInBlocks(q, k, v);
}

/** How queries read values by their keys: `attend` or `attendCausally`. */
export type Attend = typeof attend;

/**
 * `attend` in which every token sees itself and those before it: for texts, whose scores are few enough to hold at once.
 */
export function attendCausally(
  q: Float<"b a n d">,
  k: Float<"b a n d">,
  v: Float<"b a n d">,
): Float<"b a n d"> {
  const { n, d } = dims(q, "_ _ n d");
  const scores = q.mul(d ** -0.5).matmul(k.transpose(2, 3));
  const future = Tensor.full([n, n], -Infinity, "float32", q.device);
  // float32: −∞ of the mask and the softmax want the range
  const weights = scores
    .to("float32")
    .add(dispatch("aten::triu", future, 1))
    .softmax(-1);
  return weights.to(v.dtype).matmul(v);
}

/** `attend` for a libtorch without a fused operator: the scores are held in float32, block by block. */
export function attendInBlocks(
  q: Float<"b a n d">,
  k: Float<"b a m d">,
  v: Float<"b a m d">,
): Float<"b a n d"> {
  const { b, a, n, d } = dims(q, "b a n d");
  const { m } = dims(k, "_ _ m _");
  const queries = q.mul(d ** -0.5).reshape([b * a, n, d]);
  const keys = k.reshape([b * a, m, d]).transpose(1, 2);
  const values = v.reshape([b * a, m, d]);
  const block = Math.max(1, Math.floor(SCORES_AT_ONCE / (b * a * m)));
  const blocks = block < n ? dispatchMany("aten::split.Tensor", queries, block, 1) : [queries];
  const read = blocks.map((some) => scoped(() => attendBlock(some, keys, values)));
  const joined = read.length > 1 ? Tensor.cat(read, 1) : read[0]!;
  return joined.reshape([b, a, n, d]);
}

function attendBlock(q: Float<"b n d">, keys: Float<"b d m">, v: Float<"b m d">): Float<"b n d"> {
  // float32: sums of exponentials lose too much in bf16
  const weights = scoped(() =>
    dispatch("aten::softmax.int", dispatch("aten::bmm", q, keys), -1, dtypeCode("float32")),
  );
  return dispatch("aten::bmm", weights.to(v.dtype), v);
}

/** What an attention is built from. */
export type AttentionShape = {
  readonly channels: number;
  readonly heads: number;
  /** Width of what is attended to; default: `channels`. */
  readonly contextChannels?: number;
};

/** Multi-head attention with a projection on the way out; queries, keys and values without biases. */
export class Attention extends Module {
  readonly toQ: Linear;
  readonly toK: Linear;
  readonly toV: Linear;
  readonly toOut: Linear;
  readonly #heads: number;

  constructor(rng: Rng, { channels, heads, contextChannels = channels }: AttentionShape) {
    super();
    if (channels % heads !== 0)
      throw new ConfigError(`expected channels divisible by heads, got ${channels} and ${heads}`);
    this.toQ = new Linear(rng.split("toQ"), channels, channels, { bias: false });
    this.toK = new Linear(rng.split("toK"), contextChannels, channels, { bias: false });
    this.toV = new Linear(rng.split("toV"), contextChannels, channels, { bias: false });
    this.toOut = new Linear(rng.split("toOut"), channels, channels);
    this.#heads = heads;
  }

  /**
   * Reads `context` (default: `x` itself) at the places of `x`.
   *
   * A context of fewer batch entries is shared: entry `i` serves `b / entries` consecutive entries of `x`, e.g. one
   * text all frames of its clip, and its keys and values are computed once.
   */
  forward(
    x: Float<"b n d">,
    {
      context = x,
      apply = plainLayer,
    }: { context?: Float<"entries m e">; apply?: ApplyLayer } = {},
  ): Float<"b n d"> {
    const { b, n, d } = dims(x, "b n d");
    const { entries } = dims(context, "entries _ _");
    if (b % entries !== 0)
      throw new ShapeError(`expected a context that divides ${b} batch entries, got ${entries}`);
    const split = (y: Tensor): Tensor => rearrange(y, "b n (a d) -> b a n d", { a: this.#heads });
    const read = scoped(() => {
      const queries = split(apply(this.toQ, x).reshape([entries, (b / entries) * n, d]));
      const keys = split(apply(this.toK, context));
      const values = split(apply(this.toV, context));
      return rearrange(attend(queries, keys, values), "b a n d -> b n (a d)").reshape([b, n, d]);
    });
    return apply(this.toOut, read);
  }
}
