import { describe, expect, test, vi } from "vitest";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { TextEncoder } from "../../models/text-encoder/text-encoder.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import { smallTextEncoderConfig, smallTokenizer } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { TextCache } from "./text-cache.ts";

const tokenizer = smallTokenizer(temporaryFolder());
const encoder = new TextEncoder(Rng.seed(1), smallTextEncoderConfig(tokenizer.vocabularySize));

/** A cache and the number of different sentences of each of its readings. */
function recorded(limit?: number): { cache: TextCache; readings: number[] } {
  const readings: number[] = [];
  const forward = vi.spyOn(encoder, "forward");
  forward.mockImplementation((ids) => {
    const rows = ids.toFloat32Array();
    const length = ids.shape[1]!;
    const row = (number: number): string =>
      rows.slice(number * length, (number + 1) * length).join();
    readings.push(new Set(Array.from({ length: ids.shape[0]! }, (_, i) => row(i))).size);
    return TextEncoder.prototype.forward.call(encoder, ids);
  });
  return { cache: new TextCache(encoder, tokenizer, limit ? { limit } : {}), readings };
}

describe("TextCache", () => {
  test("gives the encoder's features, in the order asked, within float16's rounding", () => {
    const { cache } = recorded();
    const sentences = ["a red fox", "", "a red fox"];
    const features = cache.features(sentences);
    expect(features.shape).toEqual([3, 36, 16]);
    expect(features.dtype).toBe("float32");
    sentences.forEach((sentence, row) => {
      const ids = Tensor.from(tokenizer.encode(sentence), [1, 36], "int64");
      const half = encoder.forward(ids).to("float16");
      // features are normalised, below 4: float16 has three decimals there
      expect(largestDifference(features.narrow(0, row, 1), half)).toBeLessThan(4e-3);
    });
  });

  test("reads each sentence once, all missing ones together", () => {
    const { cache, readings } = recorded();
    cache.features(["a", "b", "a"]);
    cache.features(["b", "c", "a"]);
    cache.features(["a", "b", "c"]);
    expect(readings).toEqual([2, 1]);
  });

  test("reads a sentence to the same bits, whatever it is read beside", () => {
    const many = Array.from({ length: 29 }, (_, i) => `a fox and ${i} balloons`);
    const together = recorded().cache.features(many);
    many.forEach((sentence, row) => {
      const alone = recorded().cache.features([sentence]);
      expect(largestDifference(together.narrow(0, row, 1), alone)).toBe(0);
    });
  });

  test("forgets the oldest beyond its limit, and reads those again", () => {
    const { cache, readings } = recorded(2);
    cache.features(["a", "b"]);
    cache.features(["c"]);
    cache.features(["b", "c"]);
    expect(readings).toEqual([2, 1]);
    cache.features(["a"]);
    expect(readings).toEqual([2, 1, 1]);
  });

  test("answers a question larger than its limit", () => {
    const { cache } = recorded(1);
    expect(cache.features(["a", "b", "c"]).shape).toEqual([3, 36, 16]);
  });

  test("outlives the scope in which it was asked, and holds constants", () => {
    const { cache } = recorded();
    encoder.setTrainable(true);
    const before = cache.features(["a fox"]).clone();
    {
      using _ = tensorScope();
      cache.features(["a cat"]);
    }
    encoder.setTrainable(false);
    expect(before.requiresGrad).toBe(false);
    const again = cache.features(["a fox", "a cat"]);
    expect(largestDifference(again.narrow(0, 0, 1), before)).toBe(0);
    expect(largestDifference(again.narrow(0, 1, 1), before)).toBeGreaterThan(0.1);
  });
});
