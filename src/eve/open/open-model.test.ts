import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { SMALL_OPEN_SIZE, writeSmallOpenFolders } from "../../../test/support/public-folders.ts";
import { disturbed } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import { Rng, normal } from "../../engine/random.ts";
import { Tensor } from "../../engine/tensor.ts";
import { AlignmentConfig } from "../stack/alignment-config.ts";
import { createAlignment } from "../stack/student.ts";
import { stacked, stackedCondition, type StackedCondition } from "../stack/teachers.ts";
import { OPEN_PARTS, openWeightsHash } from "./open-folders.ts";
import { OpenModel } from "./open-model.ts";
import { asHint, openParts } from "./open-parts.ts";

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
