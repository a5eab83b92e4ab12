import { loadSafetensors } from "../../src/engine/safetensors.ts";
import { Tensor } from "../../src/engine/tensor.ts";
import type { Parameters } from "../../src/nn/module.ts";
import { resolveUNetConfig } from "../../src/models/unet/config.ts";
import { formulaInput, formulaTensor } from "./formula-weights.ts";

/** The U-Net that test/golden/motion/ puts motion modules into. */
export const MOTION_UNET = resolveUNetConfig({
  blockOutChannels: [16, 32],
  layersPerBlock: 1,
  downBlockTypes: ["crossAttention", "plain"],
  upBlockTypes: ["plain", "crossAttention"],
  crossAttentionDim: 12,
  heads: 4,
  normGroups: 8,
});

const CHIRP = 0.1;

/** Clips of the golden files by name: clips, frames, height and width of the latents. */
export const MOTION_CLIPS = { "2x3x4x6": [2, 3, 4, 6], "1x5x8x4": [1, 5, 8, 4] } as const;

/** The values stored in `test/golden/motion/<file>.safetensors`. */
export function motionGolden(file: string): (name: string) => Tensor {
  const path = new URL(`../golden/motion/${file}.safetensors`, import.meta.url).pathname;
  const stored = loadSafetensors(path);
  return (name) => stored.get(name)!;
}

/** Formula weights for all of `weights` but the tables of positions, which keep their sinusoids. */
export function formulaWeights(weights: Parameters): Map<string, Tensor> {
  return new Map(
    [...weights].map(([name, weight]) => {
      const isTable = name.endsWith(".pos_embed.pe");
      return [name, isTable ? weight : formulaTensor(name, weight.shape, CHIRP)];
    }),
  );
}

/** What the networks of the golden files are asked for clips of one of `MOTION_CLIPS`. */
export function motionInputs([b, f, h, w]: readonly [number, number, number, number]): {
  x: Tensor;
  t: Tensor;
  text: Tensor;
} {
  return {
    x: formulaInput("latents", [b * f, 4, h, w]),
    t: Tensor.from([500, 17].slice(0, b), [b]).repeatInterleave(f, 0),
    text: formulaInput("text", [b, 5, 12]),
  };
}
