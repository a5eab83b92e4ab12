import { noGrad } from "../../engine/autodiff.ts";
import { dims } from "../../engine/axes.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor, dispatch, type Float, type Int } from "../../engine/tensor.ts";
import { sampleSentences } from "../../data/world/corpus.ts";
import type { Split } from "../../data/world/splits.ts";
import type { TextEncoder } from "../../models/text-encoder/text-encoder.ts";
import type { Tokenizer } from "../../models/text-encoder/tokenizer.ts";
import { sampleNumbers, type TrainConfig } from "../config.ts";
import type { Losses, Stage } from "../stage.ts";
import { TextEncoderSettings } from "./settings.ts";

/** Two wordings of the same things: row i of `first` means what row i of `second` means. */
export interface Paraphrases {
  readonly first: Int<"b n">;
  readonly second: Int<"b n">;
}

/** Mean cross-entropy of predicting every token from those before it, up to and with the first end token. */
export function nextTokenLoss(
  encoder: TextEncoder,
  hidden: Float<"b n d">,
  ids: Int<"b n">,
  padding: number,
): Float<""> {
  const { b, n, d } = dims(hidden, "b n d");
  const vocabulary = encoder.embeddings.tokenEmbedding.weight;
  const inputs = hidden.narrow(1, 0, n - 1).reshape([b * (n - 1), d]);
  const scores = dispatch("aten::linear", inputs, vocabulary, null).to("float32");
  const targets = ids.narrow(1, 1, n - 1);
  const isRepeatedEnd = targets.eq(padding).logicalAnd(ids.narrow(1, 0, n - 1).eq(padding));
  const ignored = -100;
  const wanted = Tensor.where(isRepeatedEnd, Tensor.full(targets.shape, ignored, "int64"), targets);
  return dispatch(
    "aten::cross_entropy_loss",
    scores,
    wanted.reshape([b * (n - 1)]),
    null,
    1,
    ignored,
    0,
  );
}

/** InfoNCE: each text must find its paraphrase among all of the batch, in both directions. */
export function paraphraseLoss(
  first: Float<"b d">,
  second: Float<"b d">,
  temperature: number,
): Float<""> {
  const { b } = dims(first, "b d");
  const similarities = unit(first)
    .matmul(unit(second).transpose(0, 1))
    .to("float32")
    .div(temperature);
  const own = Tensor.arange(b);
  const forward = dispatch("aten::cross_entropy_loss", similarities, own);
  const backward = dispatch("aten::cross_entropy_loss", similarities.transpose(0, 1), own);
  return forward.add(backward).mul(0.5);
}

function unit(x: Float<"b d">): Float<"b d"> {
  return x.div(x.square().sum([-1], { keepDim: true }).add(1e-8).sqrt());
}

/**
 * Trains the text encoder on the world's sentences alone: to continue them, and to tell what means the same.
 *
 * Deviation: Emu Video reads CLIP and T5, trained on pictures and on the web; here one small encoder never sees a
 * picture. The generated world's language is all that it has to tell apart.
 */
export function textEncoderStage(
  encoder: TextEncoder,
  tokenizer: Tokenizer,
  config: TrainConfig,
): Stage<Paraphrases> {
  const { temperature } = TextEncoderSettings.parse(config.stage);
  const padding = tokenizer.encode("").at(-1)!;
  const losses = (batch: Paraphrases): Losses => {
    const hiddenFirst = encoder.forward(batch.first);
    const hiddenSecond = encoder.forward(batch.second);
    const continued = nextTokenLoss(encoder, hiddenFirst, batch.first, padding);
    return {
      next: continued.add(nextTokenLoss(encoder, hiddenSecond, batch.second, padding)).mul(0.5),
      paraphrase: paraphraseLoss(
        encoder.pooled(hiddenFirst, batch.first),
        encoder.pooled(hiddenSecond, batch.second),
        temperature,
      ),
    };
  };
  return {
    name: "text-encoder",
    dataset: "generated world, captions and instructions of the train split",
    trainable: encoder.parameters(),
    frozen: new Map(),
    lossWeights: { next: 1, paraphrase: 0.5 },
    nextBatch: (step, part) => paraphrasesOf(tokenizer, "train", sampleNumbers(config, step, part)),
    losses,
    validate: () => {
      using _ = tensorScope();
      const indices = Array.from({ length: 256 }, (__, index) => index);
      const terms = noGrad(() => losses(paraphrasesOf(tokenizer, "validation", indices)));
      return Object.fromEntries(Object.entries(terms).map(([name, loss]) => [name, loss.item()]));
    },
  };
}

/** Captions for even numbers, instructions for odd ones. */
function paraphrasesOf(
  tokenizer: Tokenizer,
  split: Split,
  numbers: readonly number[],
): Paraphrases {
  const pairs = numbers.map((number) => {
    const { caption, paraphrase, instruction, instructionParaphrase } = sampleSentences(
      split,
      number,
    );
    return number % 2 === 0 ? [caption, paraphrase] : [instruction, instructionParaphrase];
  });
  const encode = (column: 0 | 1): Int<"b n"> => {
    const ids = pairs.map((pair) => tokenizer.encode(pair[column]!));
    return Tensor.from(ids.flat(), [ids.length, ids[0]?.length ?? 0], "int64");
  };
  return { first: encode(0), second: encode(1) };
}
