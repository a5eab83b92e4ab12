import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DataError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { saveSafetensors } from "../../engine/safetensors.ts";
import { Tensor } from "../../engine/tensor.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import { SMALL_TOKENIZER, SMALL_VICLIP } from "../../../test/support/small-clip.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { loadViclip } from "./load-viclip.ts";
import { Viclip } from "./viclip.ts";
import { publicWeights } from "./weights.ts";

describe("loadViclip", () => {
  const folder = temporaryFolder();
  const made = new Viclip(Rng.seed(3), SMALL_VICLIP);
  saveSafetensors(join(folder, "model.safetensors"), publicWeights(made));

  test("reads the size of the file, and pads texts with zero", () => {
    const options = { tokenizer: SMALL_TOKENIZER, configs: [SMALL_VICLIP] };
    const { network, tokenizer } = loadViclip(folder, options);
    const ids = tokenizer.encode("a red cat");
    expect(ids).toHaveLength(SMALL_VICLIP.text.maxPositions);
    expect(ids.slice(5)).toEqual(Array.from({ length: 11 }, () => 0));
    const row = Tensor.from(ids, [1, ids.length], "int64");
    const found = network.textEncoder.forward(row);
    expect(largestDifference(found, made.textEncoder.forward(row))).toBe(0);
  });

  test("refuses a file of no size that it knows", () => {
    expect(() => loadViclip(folder, { tokenizer: SMALL_TOKENIZER })).toThrow(DataError);
    expect(() => loadViclip(folder, { tokenizer: SMALL_TOKENIZER })).toThrow(
      "expected ViCLIP's vision_encoder.class_embedding of 1024 or 768 values, got 16",
    );
  });
});
