import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { largestDifference } from "../../../test/support/difference.ts";
import { SMALL } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { DataError, UserError } from "../../engine/errors.ts";
import { Rng, normal } from "../../engine/random.ts";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { Tensor } from "../../engine/tensor.ts";
import { Linear } from "../../nn/linear.ts";
import { autoencoderHash, ModelFolder } from "./model-folder.ts";

const root = temporaryFolder();
let count = 0;
const Width = z.strictObject({ width: z.int() });

/** A model folder that does not exist yet. */
function newFolder(): ModelFolder {
  return new ModelFolder(join(root, String(count++)));
}

function linear(seed = 1): Linear {
  return new Linear(Rng.seed(seed), 3, 3);
}

/** A folder with a backbone that is one linear layer. */
function written(): ModelFolder {
  const folder = newFolder();
  folder.savePart("backbone", { config: { width: 3 }, weights: linear().parameters() });
  return folder;
}

describe("a part", () => {
  test("comes back as it was saved, rounded to float16", () => {
    const folder = written();
    const loaded = linear(2);
    folder.loadWeights("backbone", loaded);
    for (const [name, weight] of linear().parameters()) {
      const half = weight.to("float16").to("float32");
      expect(largestDifference(loaded.parameters().get(name)!, half), name).toBe(0);
      expect(loaded.parameters().get(name)!.dtype).toBe("float32");
    }
    const stored = loadSafetensors(join(folder.partPath("backbone"), "weights.safetensors"));
    expect([...stored.values()].map(({ dtype }) => dtype)).toEqual(["float16", "float16"]);
    expect(folder.config("backbone", Width)).toEqual({ width: 3 });
  });

  test("may be continued by a module that has grown: what is new stays as it is, what is gone is named", () => {
    const folder = newFolder();
    const { weight } = linear();
    folder.savePart("backbone", { config: {}, weights: new Map([["weight", weight]]) });
    const grown = linear(2);
    const bias = grown.bias!.clone();
    expect(folder.continueFrom("backbone", grown)).toEqual(new Set(["weight"]));
    expect(largestDifference(grown.weight, weight)).toBeLessThan(1e-3); // float16
    expect(largestDifference(grown.bias!, bias)).toBe(0);
    const other = new Linear(Rng.seed(1), 3, 3, { bias: false });
    written().continueFrom("backbone", linear());
    expect(() => written().continueFrom("backbone", other)).toThrow(
      /1 tensors unexpected \(bias\)/,
    );
  });

  test("brings its receipt and its files along", () => {
    const folder = newFolder();
    const words = join(root, "words.json");
    writeFileSync(words, "[]");
    const weights = linear().parameters();
    folder.savePart("text-encoder", { config: {}, weights, receipt: { steps: 3 }, files: [words] });
    const path = folder.partPath("text-encoder");
    expect(readdirSync(path).toSorted()).toEqual([
      "config.json",
      "receipt.json",
      "weights.safetensors",
      "words.json",
    ]);
    expect(JSON.parse(readFileSync(join(path, "receipt.json"), "utf8"))).toEqual({ steps: 3 });
  });

  test("may lie outside the model's folder", () => {
    const [folder, other] = [newFolder(), written()];
    const both = new ModelFolder(folder.path, { backbone: other.partPath("backbone") });
    expect([folder.has("backbone"), both.has("backbone")]).toEqual([false, true]);
    expect(both.hash(["backbone"])).toBe(other.hash(["backbone"]));
    expect(both.partPath("vision")).toBe(folder.partPath("vision"));
  });

  test("takes the place of an older one, none of whose files stay", () => {
    const folder = newFolder();
    const old = { config: { width: 2 }, weights: linear().parameters(), receipt: {} };
    folder.savePart("backbone", old);
    folder.savePart("backbone", { config: { width: 3 }, weights: linear(2).parameters() });
    expect(folder.config("backbone", Width)).toEqual({ width: 3 });
    expect(existsSync(join(folder.partPath("backbone"), "receipt.json"))).toBe(false);
  });

  test.each([
    ["a file to copy is missing", { files: [join(root, "no-such-file")] }],
    ["a weight cannot be stored", { weights: new Map([["__metadata__", Tensor.zeros([1])]]) }],
  ])("stays as it was where %s, and nothing half-written is left", (_, wrong) => {
    const folder = written();
    const before = folder.hash(["backbone"]);
    const content = { config: { width: 9 }, weights: linear(2).parameters(), ...wrong };
    expect(() => folder.savePart("backbone", content)).toThrow();
    expect(folder.hash(["backbone"])).toBe(before);
    expect(folder.config("backbone", Width)).toEqual({ width: 3 });
    expect(readdirSync(folder.path)).toEqual(["backbone"]);
  });

  test("that is missing is named, with what trains it", () => {
    const folder = written();
    expect(() => folder.require("backbone", "edit-adapter")).toThrow(
      new UserError(
        `expected a model with backbone, edit-adapter in ${folder.path}, which has no edit-adapter: ` +
          'train it with "./eve train edit-adapter"',
      ),
    );
    expect(() => folder.require("alignment")).toThrow(/has no alignment: .* "\.\/eve distill"$/);
    const nowhere = newFolder();
    expect(() => nowhere.require("autoencoder")).toThrow(/which does not exist: train it with/);
    expect(() => folder.config("video-adapter", Width)).toThrow(/has no video-adapter/);
  });

  test.each([
    ["is not JSON", "{", /config\.json: the file is damaged/],
    ["lacks a value", "{}", /describes no backbone that this version knows: width: /],
    ["has a key too many", '{"width": 3, "depth": 1}', /describes no backbone .*depth/],
  ])("whose config %s is refused", (_, text, sentence) => {
    const folder = written();
    writeFileSync(join(folder.partPath("backbone"), "config.json"), text);
    const read = (): unknown => folder.config("backbone", Width);
    expect(read).toThrow(DataError);
    expect(read).toThrow(sentence);
  });

  test("whose weights are damaged, gone or of another network is refused, and nothing is loaded", () => {
    const folder = written();
    const path = join(folder.partPath("backbone"), "weights.safetensors");
    const whole = readFileSync(path);
    const target = linear(2);
    const load = (): void => folder.loadWeights("backbone", target);
    writeFileSync(path, whole.subarray(0, whole.length - 4));
    expect(load).toThrow(DataError);
    expect(load).toThrow(path);
    expect(() => written().loadWeights("edit-adapter", target)).toThrow(
      /expected the weights of the edit-adapter at .*, found no file/,
    );
    expect(() => written().loadWeights("backbone", new Linear(Rng.seed(1), 3, 4))).toThrow(
      /does not fit this model: 2 tensors of another shape \(weight is \[3 3\] instead of \[4 3\]/,
    );
    expect(largestDifference(target.weight, linear(2).weight)).toBe(0);
  });
});

describe("the description", () => {
  test("comes back as it was written, and writing it again is no fault", () => {
    const folder = newFolder();
    folder.describe(SMALL);
    folder.describe(SMALL);
    expect(folder.description()).toEqual(SMALL);
  });

  test("of another model is refused, and the old one stays", () => {
    const folder = newFolder();
    folder.describe(SMALL);
    expect(() => folder.describe({ ...SMALL, size: 64 })).toThrow(
      new UserError(`${folder.path} holds a model of another kind: choose another folder`),
    );
    expect(folder.description().size).toBe(32);
  });

  test("says how the model is sampled, and keeps that where the same model is described again", () => {
    const folder = newFolder();
    const sampling = { times: [999, 350], temperature: 0 };
    folder.describe({ ...SMALL, sampling });
    folder.describe(SMALL);
    folder.describe({ ...SMALL, sampling: { times: [999], temperature: 1 } });
    expect(folder.description().sampling).toEqual(sampling);
  });

  test.each([
    { times: [350, 999], temperature: 0 },
    { times: [999, 999], temperature: 0 },
    { times: [], temperature: 0 },
    { times: [999], temperature: 2 },
    { times: [999], temperature: 0, textGuidance: { add: -1 } },
  ])("is refused where it samples by %j", (sampling) => {
    const folder = newFolder();
    mkdirSync(folder.path);
    writeFileSync(join(folder.path, "model.json"), JSON.stringify({ ...SMALL, sampling }));
    expect(() => folder.description()).toThrow(/describes no model that this version knows: /);
  });

  test("that is not there, or of another version, is a sentence", () => {
    const folder = newFolder();
    expect(() => folder.description()).toThrow(/found no model\.json there/);
    mkdirSync(folder.path);
    writeFileSync(join(folder.path, "model.json"), JSON.stringify({ ...SMALL, format: 2 }));
    expect(() => folder.description()).toThrow(/describes no model that this version knows: /);
  });
});

test("the hash changes with any weight and with the order of the parts", () => {
  const folder = written();
  const small = { config: {}, weights: new Map([["weight", normal(Rng.seed(1), [2])]]) };
  folder.savePart("edit-adapter", small);
  const both = folder.hash(["backbone", "edit-adapter"]);
  expect(folder.hash(["edit-adapter", "backbone"])).not.toBe(both);
  folder.savePart("edit-adapter", {
    ...small,
    weights: new Map([["weight", normal(Rng.seed(2), [2])]]),
  });
  expect(folder.hash(["backbone", "edit-adapter"])).not.toBe(both);
});

test("the identity changes with the weights, with a part's config and with how the model is sampled, and with nothing else", () => {
  const folder = written();
  folder.describe(SMALL);
  const identity = (): string => folder.identity(["backbone"]);
  const before = identity();
  const write = (description: object): void =>
    writeFileSync(join(folder.path, "model.json"), JSON.stringify(description));
  write({ ...SMALL, sampling: { times: [999, 500], temperature: 0 } });
  const sampled = identity();
  expect(sampled).not.toBe(before);
  write(SMALL);
  expect(identity()).toBe(before);
  folder.savePart("backbone", { config: { width: 4 }, weights: linear().parameters() });
  const configured = identity();
  expect(configured).not.toBe(before);
  folder.savePart("backbone", {
    config: { width: 4 },
    weights: linear(2).parameters(),
    receipt: {},
  });
  expect(identity()).not.toBe(configured);
});

describe("what identifies latents", () => {
  const saved = (encoder: number, decoder: number, latentStd = 1): ModelFolder => {
    const folder = newFolder();
    const weights = new Map([
      ["encoder.convIn.weight", Tensor.from([encoder], [1])],
      ["decoder.convIn.weight", Tensor.from([decoder], [1])],
      ["postQuantConv.weight", Tensor.from([decoder], [1])],
    ]);
    folder.savePart("autoencoder", { config: { latentStd }, weights });
    return folder;
  };

  test("is the encoder and the config, whatever the decoder is", () => {
    const own = autoencoderHash(saved(1, 1));
    expect(autoencoderHash(saved(1, 2))).toBe(own);
    expect(autoencoderHash(saved(2, 1))).not.toBe(own);
    expect(autoencoderHash(saved(1, 1, 2))).not.toBe(own);
  });
});
