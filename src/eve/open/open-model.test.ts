import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { SMALL_OPEN_SIZE, writeSmallOpenFolders } from "../../../test/support/public-folders.ts";
import { disturbed } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import { createSchedule, type Schedule } from "../../diffusion/schedule.ts";
import { Rng, normal } from "../../engine/random.ts";
import { autocast } from "../../engine/settings.ts";
import { Tensor } from "../../engine/tensor.ts";
import { adaptedLayers, Lora, type LoraOptions } from "../../nn/lora.ts";
import { AlignmentConfig } from "../stack/alignment-config.ts";
import { createAlignment } from "../stack/student.ts";
import { stacked, stackedCondition, type StackedCondition } from "../stack/teachers.ts";
import {
  OPEN_PARTS,
  openAutoencoderHash,
  openPartFolder,
  openWeightBytes,
  openWeightsHash,
} from "./open-folders.ts";
import { OpenModel, openWindow } from "./open-model.ts";
import { asHint, openParts, type OpenParts } from "./open-parts.ts";

const folders = writeSmallOpenFolders(temporaryFolder());
const parts = openParts(folders);
const { networks, textEncoder, tokenizer } = parts;
const small = { hash: "abc", size: SMALL_OPEN_SIZE };
const model = new OpenModel(parts, small);
const f = 3;
const side = SMALL_OPEN_SIZE;
const pixels = normal(Rng.seed(1), [f, 3, side, side]).clamp(-1, 1);
const input = model.encode(pixels);
const latents = input.narrow(1, 0, 4);
const xt = normal(Rng.seed(2), model.latentShape(f));
const texts = { caption: "a red cat", instruction: "make it red", task: "style" } as const;
const condition = model.stackedCondition(texts, input, input.narrow(0, 0, 1));

type Shape = { readonly rank: number; readonly alpha: number };

/** The parts with `W + Σ strength · alpha / rank · B·A` in the place of each weight, summed in float64, one by one. */
function withSum(loras: readonly { readonly lora: Lora; readonly strength: number }[]): OpenParts {
  const own = openParts(folders);
  for (const [path, layer] of adaptedLayers(own.networks.unet)) {
    const { shape } = layer.weight;
    const inputs = layer.weight.size / shape[0]!;
    const sum = valuesOf(layer.weight);
    for (const { lora, strength } of loras) {
      const pair = lora.get(path);
      if (!pair) continue;
      const { rank, alpha } = pair;
      const [a, b] = [valuesOf(pair.down), valuesOf(pair.up)];
      for (let at = 0; at < sum.length; at++) {
        const [row, column] = [Math.floor(at / inputs), at % inputs];
        for (let r = 0; r < rank; r++)
          sum[at]! += ((strength * alpha) / rank) * b[row * rank + r]! * a[r * inputs + column]!;
      }
    }
    Reflect.set(layer, "weight", Tensor.from(sum, shape, "float32"));
  }
  return own;
}

function valuesOf(x: Tensor): Float64Array {
  return new Float64Array(x.to("float64").toBytes());
}

const drawn = (denoiser: Denoiser<StackedCondition>, given = condition): Tensor =>
  denoiser.predict(xt, 400, given).x0;

describe("the open model", () => {
  test("is its networks stacked, shown the true pixels, and told caption and instruction apart", () => {
    const read = (text: string): Tensor =>
      textEncoder.forward(Tensor.from(tokenizer.encode(text), [1, 77], "int64"));
    const expected = stackedCondition(
      {
        caption: read("a red cat"),
        instruction: read("make it red"),
        tasks: Tensor.zeros([1], "int64"),
        input: latents,
        hint: asHint(pixels),
        firstFrame: latents.narrow(0, 0, 1),
      },
      read(""),
    );
    expect(largestDifference(drawn(model.stacked()), drawn(stacked(networks), expected))).toBe(0);
    const forms = [condition.withoutText(), expected.withoutText()] as const;
    const [silent, expectedSilent] = forms.map((form) => drawn(stacked(networks), form));
    expect(largestDifference(silent!, expectedSilent!)).toBe(0);
    expect(largestDifference(silent!, drawn(model.stacked()))).toBeGreaterThan(1e-4);
  });

  test("keeps pixels behind latents, and draws pictures of either", () => {
    expect(input.shape).toEqual([f, 4 + 12, side / 2, side / 2]);
    expect(largestDifference(condition.hint!, asHint(pixels))).toBe(0);
    expect(largestDifference(model.decode(input), model.decode(latents))).toBe(0);
  });

  test("lets the backbone read the instruction where no caption is told", () => {
    const untold = model.editCondition({ ...texts, caption: "" }, input);
    expect(largestDifference(untold.caption, untold.instruction)).toBe(0);
  });

  test("with a LoRA whose B is zero is the stack, bit for bit, and with a trained one is not", () => {
    const config = AlignmentConfig.parse({ rank: 2 });
    const fresh = createAlignment(Rng.seed(3), networks.unet, config);
    const trained = disturbed(createAlignment(Rng.seed(3), networks.unet, config));
    const by = (lora: typeof fresh): Tensor =>
      drawn(new OpenModel(parts, { ...small, alignment: { lora, path: "a file" } }).aligned());
    const plain = drawn(model.stacked());
    expect(largestDifference(by(fresh), plain)).toBe(0);
    expect(largestDifference(by(trained), plain)).toBeGreaterThan(1e-4);
  });

  describe("with several LoRAs", () => {
    const all = (targets: LoraOptions["targets"], seed: number, shape: Shape): Lora =>
      disturbed(
        new Lora(Rng.seed(seed), networks.unet, { ...shape, ...(targets && { targets }) }),
        0.1,
        Rng.seed(seed + 1),
      );
    const isAttention = (path: string): boolean => path.includes("attn");
    const looks = [
      { lora: all(isAttention, 10, { rank: 2, alpha: 3 }), strength: 0.7, path: "one" },
      { lora: all(() => true, 20, { rank: 4, alpha: 1 }), strength: 1.5, path: "other" },
    ];
    const alignment = { lora: all(undefined, 30, { rank: 3, alpha: 3 }), path: "a run" };
    const both = new OpenModel(parts, { ...small, looks, alignment });
    const draw = (denoiser: Denoiser<StackedCondition>): Tensor =>
      autocast("float32", () => drawn(denoiser));

    test("draws in every frame what the backbone with the sum of the looks draws", () => {
      const merged = new OpenModel(withSum(looks), small);
      for (const [actual, expected] of [
        [both.stacked(), merged.stacked()],
        [both.editTeacher(), merged.editTeacher()],
      ] as const) {
        // float32, with the updates beside the weights or in them; values are about 1
        expect(largestDifference(draw(actual), draw(expected))).toBeLessThan(1e-4);
      }
      const plain = draw(model.stacked());
      expect(largestDifference(draw(both.stacked()), plain)).toBeGreaterThan(0.01);
    });

    test("aligns by the sum of the looks and of what aligns", () => {
      const merged = new OpenModel(withSum([...looks, { ...alignment, strength: 1 }]), small);
      const actual = draw(both.aligned());
      expect(largestDifference(actual, draw(merged.stacked()))).toBeLessThan(1e-4);
      expect(largestDifference(actual, draw(both.stacked()))).toBeGreaterThan(0.001);
    });

    test("draws the same in another order, but for rounding", () => {
      const swapped = new OpenModel(parts, { ...small, looks: looks.toReversed(), alignment });
      const [one, other] = [draw(both.aligned()), draw(swapped.aligned())];
      expect(largestDifference(one, other)).toBeLessThan(1e-4);
    });

    test("is with one at zero what it is without it, and says all of them", () => {
      const [first, second] = looks;
      const silent = [first!, { ...second!, strength: 0 }];
      const [without, alone] = [silent, [first!]].map((some) =>
        draw(new OpenModel(parts, { ...small, looks: some }).stacked()),
      );
      expect(largestDifference(without!, alone!)).toBe(0);
      expect(both.loras).toEqual([
        { path: "one", strength: 0.7 },
        { path: "other", strength: 1.5 },
        { path: "a run" },
      ]);
    });
  });

  test("without a LoRA says how to get one", () => {
    expect(model.hasAlignment).toBe(false);
    expect(() => model.aligned()).toThrow(/no alignment: give one with --lora/);
  });

  test("refuses a size that latents do not divide", () => {
    expect(() => new OpenModel(parts, { ...small, size: 7 })).toThrow(
      "expected a size divisible by 2, got 7",
    );
  });
});

test("noise is the motion adapter's, whose betas are linear; backbone and ControlNet keep the pipeline's", () => {
  const ends = { betaStart: 0.00085, betaEnd: 0.012 };
  const linear = createSchedule({ ...ends, kind: "linear" });
  const own = createSchedule({ ...ends, kind: "scaled_linear" });
  const levels = (schedule: Schedule | undefined) =>
    [0, 300, 700, 999].map((t) => schedule?.alphaBar(t));
  expect(levels(networks.schedule)).toEqual(levels(linear));
  expect(levels(networks.imageSchedule)).toEqual(levels(own));
  expect(levels(model.schedule)).toEqual(levels(linear));
});

test("a window is as long as AnimateDiff's clips, or as the positions that there are", () => {
  expect([8, 16, 24, 32].map((maxFrames) => openWindow({ maxFrames }))).toEqual([8, 16, 16, 16]);
});

test("latents are identified by the autoencoder alone, and the weights' bytes are counted", () => {
  const other = { ...folders, editAdapter: folders.firstFrames };
  expect(openAutoencoderHash(other)).toBe(openAutoencoderHash(folders));
  expect(openAutoencoderHash(folders)).toBe(openWeightsHash(folders, ["vae"]).slice(0, 12));
  const files = OPEN_PARTS.flatMap((part) => {
    const folder = openPartFolder(folders, part);
    const names = readdirSync(folder).filter((name) => name.endsWith(".safetensors"));
    return names.map((name) => statSync(join(folder, name)).size);
  });
  expect(files).toHaveLength(7); // the U-Net has two
  expect(openWeightBytes(folders)).toBe(files.reduce((sum, bytes) => sum + bytes, 0));
});

test("weights are identified by what is in their files, wherever they lie", () => {
  const elsewhere = writeSmallOpenFolders(temporaryFolder());
  const hash = openWeightsHash(folders, OPEN_PARTS);
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(openWeightsHash(elsewhere, OPEN_PARTS)).toBe(hash);
  const other = { ...folders, editAdapter: folders.firstFrames };
  expect(openWeightsHash(other, OPEN_PARTS)).not.toBe(hash);
});

test("the hint of latents is their picture within [0, 1]", () => {
  const hint = networks.hintOf!(latents);
  expect(hint.shape).toEqual([f, 3, side, side]);
  expect(largestDifference(hint, asHint(model.decode(latents)))).toBe(0);
  expect(hint.neg().max().item()).toBeLessThanOrEqual(0);
  expect(hint.max().item()).toBeLessThanOrEqual(1);
});
