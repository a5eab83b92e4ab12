import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import {
  SMALL_UNET,
  SMALL_VIDEO_ADAPTER,
  SMALL_VISION,
  disturbed,
  saveSmallModel,
  smallNetworks,
} from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { DataError } from "../../engine/errors.ts";
import { TextEncoderConfig } from "../../models/text-encoder/config.ts";
import type { Module } from "../../nn/module.ts";
import { VideoAdapterConfig } from "../adapters/video-adapter.ts";
import {
  loadAutoencoder,
  loadBackbone,
  loadEditAdapter,
  loadTextEncoder,
  loadVideoAdapter,
  loadVision,
} from "./parts.ts";

const folder = saveSmallModel(join(temporaryFolder(), "small"));
const unet = loadBackbone(folder);

describe("loading a part", () => {
  test("gives the network that was saved, each weight within float16's rounding", () => {
    const { unet: original, editAdapter, layers } = smallNetworks();
    folder.savePart("backbone", { config: SMALL_UNET, weights: original.parameters() });
    folder.savePart("edit-adapter", {
      config: editAdapter.config,
      weights: disturbed(editAdapter).parameters(),
    });
    folder.savePart("video-adapter", {
      config: SMALL_VIDEO_ADAPTER,
      weights: disturbed(layers).parameters(),
    });
    const video = loadVideoAdapter(folder, unet);
    const pairs: [Module, Module][] = [
      [loadBackbone(folder), original],
      [loadEditAdapter(folder, unet), editAdapter],
      [video.layers, layers],
    ];
    for (const [loaded, saved] of pairs) {
      expect([...loaded.parameters().keys()]).toEqual([...saved.parameters().keys()]);
      for (const [name, weight] of loaded.parameters()) {
        const half = saved.parameters().get(name)!.to("float16");
        expect(largestDifference(weight, half), name).toBe(0);
      }
    }
    expect(video.window).toBe(4);
  });

  test("gives constants: nothing of them is to be trained", () => {
    const { encoder } = loadTextEncoder(folder);
    for (const module of [unet, encoder, loadAutoencoder(folder), loadEditAdapter(folder, unet)])
      expect([...module.parameters().values()].some(({ requiresGrad }) => requiresGrad)).toBe(
        false,
      );
  });

  test("gives the text encoder the tokenizer of its own vocabulary", () => {
    const { tokenizer } = loadTextEncoder(folder);
    const { vocabSize, maxPositions } = folder.config("text-encoder", TextEncoderConfig);
    expect([tokenizer.vocabularySize, tokenizer.maxPositions]).toEqual([vocabSize, maxPositions]);
  });

  test("refuses weights that the config does not describe", () => {
    const { editAdapter } = smallNetworks();
    folder.savePart("edit-adapter", {
      config: { ...editAdapter.config, taskFeatures: 9 },
      weights: editAdapter.parameters(),
    });
    expect(() => loadEditAdapter(folder, unet)).toThrow(DataError);
    expect(() => loadEditAdapter(folder, unet)).toThrow(/taskEmbedding\.weight is \[7 8\]/);
  });
});

describe("a config.json that no network can be built from", () => {
  const damaged = saveSmallModel(join(temporaryFolder(), "damaged"), { hasVision: true });
  const backbone = loadBackbone(damaged);
  const load = {
    autoencoder: () => loadAutoencoder(damaged),
    "text-encoder": () => loadTextEncoder(damaged),
    backbone: () => loadBackbone(damaged),
    "edit-adapter": () => loadEditAdapter(damaged, backbone),
    "video-adapter": () => loadVideoAdapter(damaged, backbone),
    vision: () => loadVision(damaged),
  };

  test.each([
    ["autoencoder", { normGroups: 7 }, /expected blockOutChannels divisible by normGroups 7/],
    ["autoencoder", { blockOutChannels: Array(17).fill(8) }, /blockOutChannels: Too big/],
    ["autoencoder", { patchSize: 2 ** 31 }, /patchSize: Too big/],
    ["autoencoder", { latentMean: [0] }, /values in latentMean, got 1/],
    ["text-encoder", { heads: 7 }, /expected hiddenSize divisible by heads, got \d+ and 7/],
    ["text-encoder", { vocabSize: 2 ** 53 - 1 }, /vocabSize: Too big/],
    ["backbone", { normGroups: 7 }, /channels to divide by 7 norm groups/],
    ["backbone", { heads: 7 }, /channels to divide by 7 heads/],
    ["backbone", { blockOutChannels: [2 ** 53 - 1, 8] }, /blockOutChannels\.0: Too big/],
    ["backbone", { upBlockTypes: [] }, /entries in upBlockTypes, one per level, got 0/],
    ["edit-adapter", { taskTokens: 2 ** 31 }, /taskTokens: Too big/],
    ["video-adapter", { temporal: { heads: 7 } }, /channels to divide by 7 heads/],
    ["vision", { imageSize: 7 }, /expected imageSize divisible by patchSize/],
    ["vision", { width: 2 ** 31 }, /width: Too big/],
  ] as const)("is named: %s %j", (part, change, sentence) => {
    const path = join(damaged.partPath(part), "config.json");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(text), ...change }));
    try {
      expect(load[part]).toThrow(DataError);
      expect(load[part]).toThrow(path);
      expect(load[part]).toThrow(sentence);
    } finally {
      writeFileSync(path, text);
    }
  });

  test("asks for no memory where its sizes are not those of the weights", () => {
    const path = join(damaged.partPath("vision"), "config.json");
    // a terabyte in all
    writeFileSync(path, JSON.stringify({ ...SMALL_VISION, width: 65_536, expansion: 16 }));
    expect(load.vision).toThrow(/weights\.safetensors does not fit this model: .*65536/);
  });
});

test("VideoAdapterConfig wants at least two frames, and sees eight unless told", () => {
  expect(VideoAdapterConfig.safeParse({ window: 1, temporal: {} }).success).toBe(false);
  expect(VideoAdapterConfig.parse({ temporal: {} }).window).toBe(8);
});
