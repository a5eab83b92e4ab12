import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { Rng } from "../../engine/random.ts";
import { saveSafetensors } from "../../engine/safetensors.ts";
import { Tensor } from "../../engine/tensor.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import { publicClipConfig, SMALL_CLIP, SMALL_TOKENIZER } from "../../../test/support/small-clip.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { Clip } from "./clip.ts";
import { loadClip } from "./load-clip.ts";
import { publicWeights } from "./weights.ts";

const folder = temporaryFolder();
const { text } = SMALL_CLIP;

describe("loadClip", () => {
  const made = new Clip(Rng.seed(3), SMALL_CLIP);
  beforeAll(() => {
    saveSafetensors(join(folder, "model.safetensors"), publicWeights(made));
    writeFileSync(join(folder, "config.json"), JSON.stringify(publicClipConfig));
  });

  test("reads a folder as published, and a tokenizer beside it", () => {
    const { network, tokenizer } = loadClip(folder, { tokenizer: SMALL_TOKENIZER });
    expect(network.config).toEqual(SMALL_CLIP);
    const ids = Tensor.from(tokenizer.encode("a red cat"), [1, tokenizer.maxPositions], "int64");
    expect(largestDifference(network.textFeatures(ids), made.textFeatures(ids))).toBe(0);
  });

  test("says what is missing or does not fit", () => {
    expect(() => loadClip(join(folder, "no"))).toThrow("no/config.json does not exist");
    expect(() => loadClip(folder)).toThrow("expected tokenizer.json, or vocab.json and merges.txt");
    const smaller = join(folder, "smaller");
    mkdirSync(smaller);
    const config = { ...SMALL_CLIP, text: { ...text, vocabSize: 300 } };
    const weights = publicWeights(new Clip(Rng.seed(3), config));
    saveSafetensors(join(smaller, "model.safetensors"), weights);
    const changed = {
      ...publicClipConfig,
      text_config: { ...publicClipConfig.text_config, vocab_size: 300 },
    };
    writeFileSync(join(smaller, "config.json"), JSON.stringify(changed));
    expect(() => loadClip(smaller, { tokenizer: SMALL_TOKENIZER })).toThrow(
      "expected a tokenizer of at most 300 tokens for this network, got 5",
    );
    writeFileSync(join(smaller, "config.json"), "{");
    expect(() => loadClip(smaller)).toThrow("config.json: expected JSON");
  });
});
