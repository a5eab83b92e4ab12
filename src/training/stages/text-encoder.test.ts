import { expect, test } from "vitest";
import { smallTextEncoderConfig, smallTokenizer } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { sampleSentences } from "../../data/world/corpus.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { TextEncoder } from "../../models/text-encoder/text-encoder.ts";
import { TrainConfig } from "../config.ts";
import { nextTokenLoss, paraphraseLoss, textEncoderStage } from "./text-encoder.ts";

const tokenizer = smallTokenizer(temporaryFolder());
const config = smallTextEncoderConfig(tokenizer.vocabularySize);
const encoder = new TextEncoder(Rng.seed(1), config);

test("a paraphrase is found by cosines over the temperature, in both directions", () => {
  using _ = tensorScope();
  const first = Tensor.from([2, 0, 0, 3], [2, 2]);
  const second = Tensor.from([5, 0, 0.6, 0.8], [2, 2]);
  // cosines 1, 0.6 and 0, 0.8; by rows the first has to be told from the second, by columns likewise
  const miss = (own: number, other: number): number => Math.log1p(Math.exp((other - own) / 0.5));
  const rows = (miss(1, 0.6) + miss(0.8, 0)) / 2;
  const columns = (miss(1, 0) + miss(0.8, 0.6)) / 2;
  expect(paraphraseLoss(first, second, 0.5).item()).toBeCloseTo((rows + columns) / 2, 5);
});

test("the next token is predicted up to and with the first end token", () => {
  using _ = tensorScope();
  const [word, end, width] = [3, config.vocabSize - 1, config.hiddenSize];
  const vocabulary = encoder.embeddings.tokenEmbedding.weight.detach();
  // what stands at the first place says the word, what stands at the second says the end
  const rows = [word, end, 0, 0].map((token) => vocabulary.narrow(0, token, 1).mul(40));
  const hidden = Tensor.cat(rows, 0).reshape([1, 4, width]);
  const ids = Tensor.from([0, word, end, end], [1, 4], "int64");
  const alone = (place: number, wanted: number): number => {
    const scores = hidden.select(1, place).matmul(vocabulary.transpose(0, 1)).toFloat32Array();
    const largest = Math.max(...scores);
    const total = scores.reduce((sum, score) => sum + Math.exp(score - largest), 0);
    return largest + Math.log(total) - scores[wanted]!;
  };
  const wanted = (alone(0, word) + alone(1, end)) / 2;
  expect(nextTokenLoss(encoder, hidden, ids, end).item()).toBeCloseTo(wanted, 4);
});

test("captions and instructions come in turn, each with another wording of the same", async () => {
  using _ = tensorScope();
  const stage = textEncoderStage(
    encoder,
    tokenizer,
    TrainConfig.parse({ steps: 2, batch: 4, learningRate: 1e-3 }),
  );
  const { first, second } = await stage.nextBatch(1, 0);
  const idsOf = (sentences: readonly string[]): number[] =>
    sentences.flatMap((sentence) => tokenizer.encode(sentence));
  const all = [4, 5, 6, 7].map((number) => sampleSentences("train", number));
  const pairs = all.map((of, i) =>
    i % 2 === 0 ? [of.caption, of.paraphrase] : [of.instruction, of.instructionParaphrase],
  );
  expect([...first.toFloat32Array()]).toEqual(idsOf(pairs.map(([one]) => one!)));
  expect([...second.toFloat32Array()]).toEqual(idsOf(pairs.map(([, other]) => other!)));
});
