import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import {
  SMALL_UNET,
  SMALL_VIDEO_ADAPTER,
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

test("VideoAdapterConfig wants at least two frames, and sees eight unless told", () => {
  expect(VideoAdapterConfig.safeParse({ window: 1, temporal: {} }).success).toBe(false);
  expect(VideoAdapterConfig.parse({ temporal: {} }).window).toBe(8);
});
