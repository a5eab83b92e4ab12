import { Rng } from "../../src/engine/random.ts";
import { resolveTextEncoderConfig } from "../../src/models/text-encoder/config.ts";
import { TextEncoder } from "../../src/models/text-encoder/text-encoder.ts";
import {
  loadPublicWeights as loadTextWeights,
  publicWeights as textWeights,
} from "../../src/models/text-encoder/weights.ts";
import type { LoraParts } from "../../src/models/lora-files/save.ts";
import { resolveUNetConfig } from "../../src/models/unet/config.ts";
import { UNet } from "../../src/models/unet/unet.ts";
import { loadPublicWeights, publicWeights } from "../../src/models/unet/weights.ts";
import { Lora } from "../../src/nn/lora.ts";
import type { Parameters } from "../../src/nn/module.ts";
import { formulaTensor } from "./formula-weights.ts";

function formulaOf(weights: Parameters): Parameters {
  return new Map([...weights].map(([name, { shape }]) => [name, formulaTensor(name, shape)]));
}

/** The U-Net of `test/golden/lora/lora.py`, on formula weights. */
export function goldenUNet(): UNet {
  const config = resolveUNetConfig({
    blockOutChannels: [8, 16],
    layersPerBlock: 1,
    downBlockTypes: ["crossAttention", "plain"],
    upBlockTypes: ["plain", "crossAttention"],
    crossAttentionDim: 12,
    heads: [2, 4],
    normGroups: 4,
  });
  const unet = new UNet(Rng.seed(0), config);
  loadPublicWeights(unet, formulaOf(publicWeights(unet)), "the formula");
  return unet;
}

/** The text encoder of `test/golden/lora/lora.py`, on formula weights. */
export function goldenTextEncoder(): TextEncoder {
  const config = resolveTextEncoderConfig({
    vocabSize: 64,
    hiddenSize: 12,
    intermediateSize: 20,
    layers: 2,
    heads: 3,
    maxPositions: 8,
  });
  const encoder = new TextEncoder(Rng.seed(0), config);
  loadTextWeights(encoder, formulaOf(textWeights(encoder)), "the formula");
  return encoder;
}

/** A LoRA of every kind of layer, ranks and alphas among them that differ: what `ours.safetensors` is written from. */
export function goldenLoras(unet: UNet, encoder: TextEncoder): LoraParts {
  const lora = new Lora(Rng.seed(0), unet, {
    targets: (path) => /attn|ff\.|projIn|conv1|samplers|timeEmbProj/.test(path),
    rank: (path) => (path.includes("attn") ? 4 : path.includes("conv1") ? 3 : 2),
    alpha: (path) => (path.endsWith("toV") ? 2 : path.includes("conv1") ? 1.5 : 4),
  });
  const textLora = new Lora(Rng.seed(0), encoder, {
    targets: (path) => /[qv]Proj|fc1/.test(path),
    rank: (path) => (path.endsWith("vProj") ? 3 : 2),
    alpha: 1,
  });
  for (const [which, { lora: one }] of Object.entries({ unet: { lora }, text: { lora: textLora } }))
    for (const [name, weight] of one.parameters())
      weight.copyFrom(formulaTensor(`${which}.${name}`, weight.shape).mul(0.5));
  return {
    unet: { lora, network: unet },
    textEncoder: { lora: textLora, network: encoder },
  };
}
