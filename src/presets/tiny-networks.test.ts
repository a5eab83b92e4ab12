import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Rng } from "../engine/random.ts";
import { EditAdapter } from "../eve/adapters/edit-adapter.ts";
import {
  EDITING_PARTS,
  ModelFolder,
  PARTS,
  TEACHER_PARTS,
  type AlignmentName,
  type Part,
} from "../eve/model/model-folder.ts";
import {
  AlignmentConfig,
  AlignmentPart,
  LookAdapterConfig,
} from "../eve/stack/alignment-config.ts";
import { alignmentParameters } from "../eve/stack/alignment-weights.ts";
import { createAlignment, learnedStrengths } from "../eve/stack/student.ts";
import { TemporalLayers } from "../models/temporal/temporal-layers.ts";
import { TextEncoderConfig } from "../models/text-encoder/config.ts";
import { TextEncoder } from "../models/text-encoder/text-encoder.ts";
import { UNet } from "../models/unet/unet.ts";
import { Autoencoder } from "../models/vae/autoencoder.ts";
import { latentStride } from "../models/vae/config.ts";
import { TINY_VISION } from "../models/vision/config.ts";
import { DetailGates } from "../models/detail/detail-gates.ts";
import { VisionTransformer } from "../models/vision/vision-transformer.ts";
import { uninitialised } from "../nn/init.ts";
import type { Module } from "../nn/module.ts";
import { stageEntry } from "../training/stage.ts";
import { DistillationSettings } from "../training/stages/distillation-settings.ts";
import { countValues } from "../training/step.ts";
import { stagesOf } from "./tiny-export.ts";
import {
  TINY,
  TINY_AUTOENCODER,
  TINY_DETAIL_GATES,
  TINY_EDIT_ADAPTER,
  TINY_SIZE,
  TINY_UNET,
  TINY_VIDEO_ADAPTER,
  tinyPartConfig,
  tinyTextEncoder,
} from "./tiny-networks.ts";
import { tiny } from "./tiny.ts";

const ALIGNMENT = DistillationSettings.parse(
  stageEntry(tiny, "distillation").config.stage,
).alignment;

/** Words of the world's language, in tokens: the size of the vocabulary that ships. */
const VOCABULARY = 1052;
const MEGABYTE = 1e6;

const networks = uninitialised((): Record<Part, Pick<Module, "parameters">> => {
  const rng = Rng.seed(0);
  const unet = new UNet(rng, TINY_UNET);
  const videoAdapter = new TemporalLayers(rng, unet, TINY_VIDEO_ADAPTER.temporal);
  const strengths = learnedStrengths({ unet, videoAdapter }, 1);
  const lora = createAlignment(rng, unet, ALIGNMENT);
  return {
    autoencoder: new Autoencoder(rng, TINY_AUTOENCODER),
    "text-encoder": new TextEncoder(rng, tinyTextEncoder(VOCABULARY)),
    backbone: unet,
    "edit-adapter": new EditAdapter(rng, TINY_UNET, TINY_EDIT_ADAPTER),
    "video-adapter": videoAdapter,
    "detail-gates": new DetailGates(rng, TINY_DETAIL_GATES),
    vision: new VisionTransformer(rng, TINY_VISION),
    alignment: { parameters: () => alignmentParameters(lora, { videoStrength: strengths }) },
    "style-adapter": createAlignment(rng, unet, AlignmentConfig.parse({})),
    "style-alignment": createAlignment(rng, unet, AlignmentConfig.parse({})),
    "subject-adapter": createAlignment(rng, unet, AlignmentConfig.parse({})),
    "subject-alignment": createAlignment(rng, unet, AlignmentConfig.parse({})),
  };
});

describe("the parts of the tiny model", () => {
  test.each<[Part, number]>([
    ["autoencoder", 4_192_336],
    ["text-encoder", 932_608],
    ["backbone", 8_130_144],
    ["edit-adapter", 3_507_265],
    ["video-adapter", 2_228_544],
    ["detail-gates", 83_168],
    ["vision", 637_056],
    ["alignment", 169_409],
  ])("%s has %i weights, as PAPER.md says", (part, weights) => {
    expect(countValues(networks[part].parameters())).toBe(weights);
  });

  test("take at most 40 MB in float16, all together that an edit needs", () => {
    const weights = EDITING_PARTS.reduce(
      (sum, part) => sum + countValues(networks[part].parameters()),
      0,
    );
    expect(2 * weights).toBeLessThan(40 * MEGABYTE);
    expect(2 * weights).toBeGreaterThan(20 * MEGABYTE);
  });

  test("fit each other: latents, first frame, hint and text", () => {
    const { latentChannels } = TINY_AUTOENCODER;
    expect(TINY_SIZE / latentStride(TINY_AUTOENCODER)).toBe(16);
    expect([TINY_UNET.inChannels, TINY_UNET.outChannels]).toEqual([latentChannels, latentChannels]);
    expect(TINY_EDIT_ADAPTER.hint).toEqual({ type: "latent", channels: latentChannels });
    expect(TINY_VIDEO_ADAPTER.temporal.conditionChannels).toBe(latentChannels + 1);
    expect(TINY_UNET.crossAttentionDim).toBe(tinyTextEncoder(VOCABULARY).hiddenSize);
  });

  test("are trained on a schedule that ends in pure noise, and predict what is defined there", () => {
    expect(TINY.schedule.zeroTerminalSnr).toBe(true);
    expect(TINY.prediction).toBe("v");
  });
});

const shipped = new ModelFolder(new URL("../../models/tiny", import.meta.url).pathname);
const present = PARTS.filter((part) => shipped.has(part));

function isAlignment(part: Part): part is AlignmentName {
  return part in TEACHER_PARTS;
}

describe.skipIf(!existsSync(shipped.path))("the model that ships", () => {
  test("is described as the preset describes it", () => {
    expect(shipped.description()).toEqual(TINY);
  });

  test.each(present)(
    "has a(n) %s with the preset's config, but for measured statistics",
    (part) => {
      const config = shipped.config(part, z.looseObject({}));
      const { latentMean, latentStd, ...rest } = config;
      if (isAlignment(part)) return void AlignmentPart.parse(config);
      if (part === "style-adapter" || part === "subject-adapter")
        return void LookAdapterConfig.parse(config);
      expect(rest).toEqual(
        part === "text-encoder"
          ? tinyTextEncoder(shipped.config(part, TextEncoderConfig).vocabSize)
          : tinyPartConfig(part),
      );
      const statistics = part === "autoencoder" ? TINY_AUTOENCODER.latentChannels : undefined;
      expect([latentMean, latentStd].map((values) => (values as number[])?.length)).toEqual([
        statistics,
        statistics,
      ]);
    },
  );

  test.each(present)("has a(n) %s whose weights fit the preset's network", (part) => {
    const { loaded } = uninitialised(() => {
      shipped.loadWeights(part, networks[part]);
      return { loaded: networks[part].parameters() };
    });
    for (const [name, weight] of loaded)
      expect(Number.isFinite(weight.abs().max().item()), name).toBe(true);
  });

  test.each(present)("has a(n) %s with the receipt of its training", (part) => {
    const path = new URL(`../../models/tiny/${part}/receipt.json`, import.meta.url);
    const receipt = z
      .looseObject({ stage: z.string(), steps: z.int(), dataset: z.string() })
      .parse(JSON.parse(readFileSync(path, "utf8")));
    expect(stagesOf(part)).toContain(receipt.stage);
    expect(receipt.steps).toBeGreaterThan(0);
    expect(receipt.dataset).toMatch(/^generated world.*train split/);
  });
});
