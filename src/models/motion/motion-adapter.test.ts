import { describe, expect, test } from "vitest";
import { gradients } from "../../engine/autodiff.ts";
import { ConfigError, ShapeError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { autocast } from "../../engine/settings.ts";
import { Tensor } from "../../engine/tensor.ts";
import { plainLayer } from "../../nn/lora.ts";
import {
  BF16_NETWORK,
  largestDifference,
  relativeError,
} from "../../../test/support/difference.ts";
import {
  MOTION_CLIPS,
  MOTION_UNET,
  formulaWeights,
  motionGolden,
  motionInputs,
} from "../../../test/support/motion-golden.ts";
import { timeVector } from "../unet/encoder.ts";
import type { TemporalHooks } from "../unet/pass.ts";
import { UNet } from "../unet/unet.ts";
import { loadPublicWeights, publicWeights } from "../unet/weights.ts";
import { resolveMotionConfig, type MotionConfig } from "./config.ts";
import { MotionAdapter } from "./motion-adapter.ts";

const small = resolveMotionConfig({
  blockOutChannels: [16, 32],
  layersPerBlock: 1,
  normGroups: 8,
  heads: [2, 4],
  maxFrames: 8,
});
const unet = new UNet(Rng.seed(0), MOTION_UNET);
loadPublicWeights(unet, formulaWeights(publicWeights(unet)), "the formula");

function trained(changes: Partial<MotionConfig> = {}): MotionAdapter {
  const adapter = new MotionAdapter(Rng.seed(0), { ...small, ...changes });
  loadPublicWeights(adapter, formulaWeights(publicWeights(adapter)), "the formula");
  return adapter;
}

/** What each block of the U-Net puts out, in diffusers' names, and the prediction under no name. */
function blockOutputs(
  { x, t, text }: ReturnType<typeof motionInputs>,
  temporal: TemporalHooks,
): Map<string, Tensor> {
  const pass = {
    time: timeVector(unet, t, { apply: plainLayer }),
    text,
    apply: plainLayer,
    temporal,
    recompute: false,
  };
  const found = new Map<string, Tensor>([["", unet.forward(x, t, text, { temporal })]]);
  const states = [unet.convIn.forward(x)];
  unet.downBlocks.forEach((block, i) => {
    states.push(...block.forward(states.at(-1)!, pass));
    found.set(`.down_blocks.${i}`, states.at(-1)!);
  });
  let h = unet.midBlock.forward(states.at(-1)!, pass);
  found.set(".mid_block", h);
  unet.upBlocks.forEach((block, i) => {
    h = block.forward(h, states, pass);
    found.set(`.up_blocks.${i}`, h);
  });
  return found;
}

describe("a U-Net with a MotionAdapter agrees with the reference", () => {
  const expected = motionGolden("motion");
  const cases = (["frame", "clip"] as const).flatMap((statistics) => [
    { statistics, version: 1, name: "2x3x4x6" as const },
    { statistics, version: 2, name: "1x5x8x4" as const },
  ]);

  test.each(cases)(
    "after every block: version $version, statistics per $statistics, on $name",
    ({ statistics, version, name }) => {
      const clip = MOTION_CLIPS[name];
      const adapter = trained({ statistics, midBlock: version === 2 });
      const hooks = adapter.on(unet, { frames: clip[1] });
      const outputs = blockOutputs(motionInputs(clip), hooks);
      expect(outputs.size).toBe(6);
      for (const [block, found] of outputs) {
        const golden = expected(`unet.v${version}.${statistics}.${name}${block}`);
        // float32 on both sides; the order of summation differs between machines
        const difference = largestDifference(found, golden) / golden.abs().max().item();
        expect(difference, block || "prediction").toBeLessThan(1e-4);
      }
    },
  );
});

describe("MotionAdapter", () => {
  const clip = MOTION_CLIPS["2x3x4x6"];
  const frames = clip[1];
  const { x, t, text } = motionInputs(clip);
  const plain = unet.forward(x, t, text);

  test("is the identity until it is trained, bit for bit, in bf16 too", () => {
    const temporal = new MotionAdapter(Rng.seed(5), small).on(unet, { frames });
    expect(largestDifference(unet.forward(x, t, text, { temporal }), plain)).toBe(0);
    autocast("bfloat16", () => {
      const without = unet.forward(x, t, text);
      expect(largestDifference(unet.forward(x, t, text, { temporal }), without)).toBe(0);
    });
  });

  test("stays close to float32 under bf16 autocast", () => {
    const temporal = trained().on(unet, { frames });
    const rounded = autocast("bfloat16", () => unet.forward(x, t, text, { temporal }));
    const exact = unet.forward(x, t, text, { temporal });
    expect(relativeError(rounded, exact)).toBeLessThan(BF16_NETWORK);
  });

  test("is all that a gradient reaches, every weight of it", () => {
    const adapter = trained().setTrainable(true);
    const temporal = adapter.on(unet, { frames });
    const learning = [...adapter.parameters()].filter(([name]) => !name.endsWith(".pe"));
    const weights = learning.map(([, weight]) => weight);
    const found = gradients(unet.forward(x, t, text, { temporal }).square().mean(), weights);
    expect(found.filter((gradient) => gradient && gradient.norm().item() > 0)).toHaveLength(
      weights.length,
    );
    expect([...unet.parameters().values()].every((weight) => weight.grad === null)).toBe(true);
  });

  test("leaves the U-Net what it was, for whoever does not ask it", () => {
    const temporal = trained().on(unet, { frames });
    const moved = unet.forward(x, t, text, { temporal });
    expect(largestDifference(moved, plain)).toBeGreaterThan(0.1);
    expect(largestDifference(unet.forward(x, t, text), plain)).toBe(0);
  });

  test("serves any instance of the topology it was made for, and no other", () => {
    const adapter = trained();
    expect(() => adapter.on(new UNet(Rng.seed(9), MOTION_UNET), { frames })).not.toThrow();
    const other = new UNet(Rng.seed(9), { ...MOTION_UNET, layersPerBlock: 2 });
    expect(() => adapter.on(other, { frames })).toThrow(
      new ShapeError(
        "expected a U-Net for this motion adapter, levels of 16, 32 channels with 1 layers; got levels of 16, 32 channels with 2 layers",
      ),
    );
  });

  test("refuses clips that it has no positions for", () => {
    expect(() => trained().on(unet, { frames: 9 })).toThrow(
      new ConfigError(
        "expected 1 to 8 frames, for which this motion adapter has positions, got 9: use shorter windows",
      ),
    );
    expect(() => trained().on(unet, { frames: 2.5 })).toThrow(ConfigError);
  });
});

describe("resolveMotionConfig", () => {
  test.each([
    [{ heads: [8] }, /expected 4 entries in heads, one per level, got 1/],
    [{ heads: 7 }, /expected 320 channels to divide by 7 heads/],
    [{ normGroups: 3 }, /expected 320 channels to divide by 3 norm groups/],
    [{ statistics: "video" }, /motion adapter config/],
  ])("refuses %o", (input, message) => {
    expect(() => resolveMotionConfig(input as Partial<MotionConfig>)).toThrow(ConfigError);
    expect(() => resolveMotionConfig(input as Partial<MotionConfig>)).toThrow(message);
  });
});
