import { expect, test } from "vitest";
import { Rng } from "../../engine/random.ts";
import { uninitialised } from "../../nn/init.ts";
import { listedNames, namesOf } from "../../../test/support/public-names.ts";
import { resolveTextEncoderConfig } from "./config.ts";
import { TextEncoder } from "./text-encoder.ts";
import { publicWeights } from "./weights.ts";

test("publicWeights has exactly the 196 names and shapes of Stable Diffusion 1.5", () => {
  const encoder = uninitialised(() => new TextEncoder(Rng.seed(0), resolveTextEncoderConfig({})));
  const names = namesOf(publicWeights(encoder));
  expect(names).toHaveLength(196);
  expect(names).toEqual(listedNames("text-encoder/names-sd15.tsv"));
  expect(encoder.parameterCount()).toBe(123_060_480);
});
