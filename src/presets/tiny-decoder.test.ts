import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { descend } from "../../test/support/descent.ts";
import { BF16_BATCHES, largestDifference, relativeError } from "../../test/support/difference.ts";
import { saveSmallModel, SMALL_SIZE } from "../../test/support/small-model.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { editAt } from "../data/caches/triplet-items.ts";
import { frameOf } from "../data/caches/frame-number.ts";
import { toPixels } from "../data/pixels.ts";
import { renderTriplet } from "../data/world/triplet.ts";
import { guidedAbove, guidedTwice } from "../diffusion/guidance.ts";
import { ddim, finish } from "../diffusion/samplers.ts";
import { noGrad } from "../engine/autodiff.ts";
import { Tensor, type Float } from "../engine/tensor.ts";
import { EditModel } from "../eve/model/edit-model.ts";
import { resolveConfig, stageEntry, type Stage } from "../training/stage.ts";
import type { DecoderBatch } from "../training/stages/decoder.ts";
import { openDecoder } from "./tiny-decoder.ts";
import { TINY_SAMPLING } from "./tiny-sampling.ts";
import { tiny } from "./tiny.ts";

const root = temporaryFolder();
const folder = saveSmallModel(join(root, "model"));
const FROM = 700;

/** The stage on seven edits of the small model, one of each task. */
async function opened(drawn: number): Promise<Stage<DecoderBatch>> {
  const entry = stageEntry(tiny, "decoder");
  const stage = { model: folder.path, cache: join(root, "cache"), items: 7, held: 7, from: FROM };
  const config = resolveConfig(entry, { ...entry.config, batch: 4, stage: { ...stage, drawn } });
  const context = { signal: new AbortController().signal, progress: () => {} };
  // The preset's table of stages forgets what their batches are
  return (await openDecoder(config, context)) as Stage<DecoderBatch>;
}

/** Edit `index` as it is drawn in use, and its right picture. */
function wanted(index: number): { latents: Float<"1 c h w">; picture: Uint8Array } {
  const model = EditModel.load(folder.path);
  const request = editAt("train", FROM + index);
  const { before, after } = renderTriplet(request, "train", frameOf(FROM + index), SMALL_SIZE);
  const { task, instruction, outputCaption } = request;
  const { times, textGuidance, guidedAbove: above } = TINY_SAMPLING;
  const guidance = new Map(Object.entries(textGuidance));
  const caption = index % 2 === 0 ? outputCaption : "";
  const latents = noGrad(() => {
    const input = model.encode(toPixels([before], SMALL_SIZE, SMALL_SIZE));
    const condition = model.editCondition({ caption, instruction, task }, input);
    const plain = model.editTeacher();
    const guided = guidedTwice(plain, {
      imageScale: 1,
      textScale: guidance.get(task) ?? 1,
      withoutText: (full) => full.withoutText(),
      unconditional: (full) => full.withoutText().withoutImage(),
    });
    const teacher = guidedAbove(above, { guided, plain });
    const options = { schedule: model.schedule, steps: times.length, spacing: times };
    return finish(ddim(teacher, Tensor.zeros(input.shape), condition, options));
  });
  return { latents, picture: after };
}

test("what it decodes are edits as they are drawn in use, and what they should become", async () => {
  const stage = await opened(1);
  const all = Array.from({ length: 7 }, (_, index) => wanted(index));
  const seen = new Set<number>();
  for (let step = 0; step < 6; step++) {
    const { latents, pixels } = await stage.nextBatch(step, 0);
    for (let row = 0; row < 4; row++) {
      const rights = all.map(({ picture }) => toPixels([picture], SMALL_SIZE, SMALL_SIZE));
      const own = pixels.narrow(0, row, 1);
      const index = rights.findIndex((right) => largestDifference(own, right) < 1e-6);
      expect(index).toBeGreaterThanOrEqual(0);
      seen.add(index);
      const error = relativeError(latents.narrow(0, row, 1), all[index]!.latents);
      expect(error, `edit ${index}`).toBeLessThan(BF16_BATCHES);
    }
  }
  expect(seen.size).toBeGreaterThan(4);
});

test("without drawn ones latents are the encoder's", async () => {
  const stage = await opened(0);
  const model = EditModel.load(folder.path);
  const { latents, pixels } = await stage.nextBatch(0, 0);
  expect(
    relativeError(
      latents,
      noGrad(() => model.encode(pixels)),
    ),
  ).toBeLessThan(BF16_BATCHES);
});

test("only the decoder learns: it alone has gradients, and steps along them decode better", async () => {
  const stage = await opened(0.5);
  expect([...stage.trainable.keys()].every((name) => name.startsWith("decoder."))).toBe(true);
  const encoder = [...stage.frozen].filter(([name]) => name.startsWith("encoder."));
  expect(encoder.length).toBeGreaterThan(4);
  descend(stage, await stage.nextBatch(0, 0));
});

test("it is measured on edits that it does not learn by, those of the validation split", () => {
  const made = readdirSync(join(root, "cache")).filter((name) => name.startsWith("drawn-edits"));
  const splits = made.map((name) => /^drawn-edits-(\w+)-32-/.exec(name)?.[1] ?? name);
  expect(new Set(splits)).toEqual(new Set(["train", "validation"]));
});
