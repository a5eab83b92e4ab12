import { noGrad } from "../../engine/autodiff.ts";
import { defaultDevice } from "../../engine/device.ts";
import { persist, tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { TextEncoder } from "../../models/text-encoder/text-encoder.ts";
import type { Tokenizer } from "../../models/text-encoder/tokenizer.ts";

/**
 * Sentences that the encoder sees at once, always: a matrix product rounds by how many rows it has, and features must
 * not depend on what a sentence happens to be read beside. A GPU is asked for thousands.
 */
const readAtOnce = (): number => (defaultDevice() === "cpu" ? 8 : 256);

/** Token features of sentences from a frozen text encoder: each sentence is read once, and kept in float16. */
export class TextCache {
  readonly #encoder: TextEncoder;
  readonly #tokenizer: Tokenizer;
  readonly #limit: number;
  readonly #known = new Map<string, Tensor>();

  /** `limit`: sentences kept at most; the oldest go first. */
  constructor(encoder: TextEncoder, tokenizer: Tokenizer, { limit = 65_536 } = {}) {
    this.#encoder = encoder;
    this.#tokenizer = tokenizer;
    this.#limit = limit;
  }

  /** One row of token features per sentence, float32. */
  features(sentences: readonly string[]): Float<"b n d"> {
    const missing = [...new Set(sentences)].filter((sentence) => !this.#known.has(sentence));
    if (missing.length > 0) this.#read(missing);
    const rows = sentences.map((sentence) => this.#known.get(sentence)!);
    const stacked = Tensor.stack(rows, 0).to("float32");
    this.#forgetOldest();
    return stacked;
  }

  #read(sentences: readonly string[]): void {
    const size = readAtOnce();
    for (let first = 0; first < sentences.length; first += size)
      this.#readBatch(sentences.slice(first, first + size), size);
  }

  /** Reads at most `size` sentences, the first one again in the places that are left. */
  #readBatch(sentences: readonly string[], size: number): void {
    using _ = tensorScope();
    const ids = sentences.map((sentence) => this.#tokenizer.encode(sentence));
    const filled = Array.from({ length: size }, (__, row) => ids[row] ?? ids[0]!);
    const tokens = Tensor.from(filled.flat(), [size, this.#tokenizer.maxPositions], "int64");
    const features = noGrad(() => this.#encoder.forward(tokens)).to("float16");
    sentences.forEach((sentence, row) =>
      this.#known.set(sentence, persist(features.select(0, row).clone())),
    );
  }

  #forgetOldest(): void {
    for (const sentence of this.#known.keys()) {
      if (this.#known.size <= this.#limit) return;
      this.#known.delete(sentence);
    }
  }
}
