import { expect, test } from "vitest";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { uninitialised } from "../../nn/init.ts";
import { listedNames, namesOf } from "../../../test/support/public-names.ts";
import { VICLIP_B16, VICLIP_L14 } from "./config.ts";
import { Viclip } from "./viclip.ts";
import { publicWeights } from "./weights.ts";

test.each([
  {
    what: "the 447 names and shapes of L/14",
    config: VICLIP_L14,
    list: "names-l14",
    tensors: 447,
    values: 427_590_145,
  },
  {
    what: "the 303 names and shapes of B/16",
    config: VICLIP_B16,
    list: "names-b16",
    tensors: 303,
    values: 149_603_841,
  },
])("publicWeights has exactly $what", ({ config, list, tensors, values }) => {
  using _ = tensorScope();
  const viclip = uninitialised(() => new Viclip(Rng.seed(0), config));
  const names = namesOf(publicWeights(viclip));
  expect(names).toHaveLength(tensors);
  expect(names).toEqual(listedNames(`viclip/${list}.tsv`));
  expect(viclip.parameterCount()).toBe(values);
});
