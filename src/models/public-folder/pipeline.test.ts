import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { guided } from "../../diffusion/guidance.ts";
import { networkDenoiser } from "../../diffusion/denoiser.ts";
import { finish } from "../../diffusion/samplers.ts";
import { ConfigError, DataError } from "../../engine/errors.ts";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { Tensor } from "../../engine/tensor.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import { formulaInput } from "../../../test/support/formula-weights.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { openPipeline, openScheduler, readPipelineIndex } from "./pipeline.ts";

const golden = (name: string): string =>
  new URL(`../../../test/golden/pipeline/${name}`, import.meta.url).pathname;
const small = golden("small-sd");

describe("a pipeline that diffusers saved", () => {
  const expected = loadSafetensors(golden("expected.safetensors"));
  const { unet, autoencoder, textEncoder, tokenizer, scheduler } = openPipeline(small);
  const relative = (actual: Tensor, name: string): number =>
    largestDifference(actual, expected.get(name)!) / expected.get(name)!.abs().max().item();
  const read = (text: string): Tensor =>
    textEncoder.forward(Tensor.from(tokenizer.encode(text), [1, 77], "int64"));

  test("reads a prompt as diffusers does", () => {
    const ids = new BigInt64Array(expected.get("ids")!.toBytes());
    expect(tokenizer.encode("a red cat")).toEqual([...ids].map(Number));
    expect(relative(read("a red cat"), "text")).toBeLessThan(1e-5);
  });

  test("draws what diffusers draws from the same noise, with guidance and PLMS", () => {
    const denoiser = guided(
      networkDenoiser<Tensor>({
        schedule: scheduler.schedule,
        kind: scheduler.kind,
        network: (xt, t, text) => unet.forward(xt, t, text),
      }),
      { scale: 7.5, unconditional: () => read("") },
    );
    const noise = formulaInput("latents", [1, 4, 8, 8], 1.4);
    const drawn = finish(scheduler.sampler(denoiser, noise, read("a red cat"), 6));
    // float32 on both sides through seven evaluations of the network; guidance multiplies differences by 7.5
    expect(relative(drawn, "drawn")).toBeLessThan(1e-3);
    expect(relative(autoencoder.decode(expected.get("drawn")!), "decoded")).toBeLessThan(1e-4);
  });

  test("keeps its matrices in float16 and everything with one axis in float32", () => {
    for (const network of [unet, autoencoder, textEncoder]) {
      for (const [name, weight] of network.parameters()) {
        const wanted = weight.shape.length > 1 ? "float16" : "float32";
        expect(weight.dtype, name).toBe(wanted);
      }
    }
  });
});

describe("readPipelineIndex", () => {
  test("lists subfolders, and no absent parts or flags", () => {
    const folder = temporaryFolder();
    const index = {
      _class_name: "StableDiffusionPipeline",
      _diffusers_version: "0.6.0",
      unet: ["diffusers", "UNet2DConditionModel"],
      feature_extractor: [null, null],
      safety_checker: null,
      requires_safety_checker: true,
      clip_skip: 2,
    };
    writeFileSync(join(folder, "model_index.json"), JSON.stringify(index));
    expect([...readPipelineIndex(folder)]).toEqual([
      ["unet", { library: "diffusers", className: "UNet2DConditionModel" }],
    ]);
  });

  test("refuses names that are no subfolders", () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "model_index.json"), '{"../unet": ["diffusers", "UNet"]}');
    expect(() => readPipelineIndex(folder)).toThrow(DataError);
    expect(() => readPipelineIndex(folder)).toThrow('expected names of subfolders, got "../unet"');
  });

  test("refuses folders without an index, and files that are none", () => {
    const folder = temporaryFolder();
    expect(() => readPipelineIndex(folder)).toThrow(/found none there/);
    writeFileSync(join(folder, "model_index.json"), "[1, 2]");
    expect(() => readPipelineIndex(folder)).toThrow(DataError);
    writeFileSync(join(folder, "model_index.json"), "{");
    expect(() => readPipelineIndex(folder)).toThrow(/expected JSON/);
  });
});

describe("openPipeline refuses", () => {
  /** The small pipeline with another model_index.json, as a new folder. */
  function changed(change: object): string {
    const folder = join(temporaryFolder(), "pipeline");
    mkdirSync(folder);
    cpSync(small, folder, { recursive: true });
    const index: unknown = JSON.parse(readFileSync(join(small, "model_index.json"), "utf8"));
    writeFileSync(
      join(folder, "model_index.json"),
      JSON.stringify(Object.assign({}, index, change)),
    );
    return folder;
  }
  const without = changed({ vae: null });
  const larger = changed({ unet: ["diffusers", "UNet3DConditionModel"] });
  const wordy = changed({});
  const incomplete = changed({});
  rmSync(join(incomplete, "tokenizer"), { recursive: true });

  test("a pipeline without a part that it opens", () => {
    expect(() => openPipeline(without)).toThrow(/its model_index.json has no vae/);
  });

  test("a part of another class", () => {
    expect(() => openPipeline(larger)).toThrow(
      /expected UNet2DConditionModel as unet, its model_index.json says UNet3DConditionModel/,
    );
  });

  test("a pipeline with a subfolder missing", () => {
    expect(() => openPipeline(incomplete)).toThrow(/expected the folder tokenizer/);
  });

  test("a tokenizer that gives ids which the text encoder has no vectors for", () => {
    const vocabulary = join(wordy, "tokenizer", "vocab.json");
    const known: unknown = JSON.parse(readFileSync(vocabulary, "utf8"));
    writeFileSync(vocabulary, JSON.stringify(Object.assign({}, known, { "owl</w>": 800 })));
    expect(() => openPipeline(wordy)).toThrow(DataError);
    expect(() => openPipeline(wordy)).toThrow(
      "tokenizer: expected a tokenizer of at most 540 tokens for this network, got 801",
    );
  });

  test("a sampler that is not built, with the folder's name", () => {
    const folder = join(small, "scheduler");
    expect(() => openScheduler(folder, "LMSDiscreteScheduler")).toThrow(ConfigError);
    expect(() => openScheduler(folder, "LMSDiscreteScheduler")).toThrow(
      `${folder}: scheduler_config.json: expected a sampler among`,
    );
  });
});
