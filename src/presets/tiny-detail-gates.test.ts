import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { descend } from "../../test/support/descent.ts";
import { largestDifference } from "../../test/support/difference.ts";
import { saveSmallModel, SMALL_SIZE } from "../../test/support/small-model.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { frameOf } from "../data/caches/frame-number.ts";
import { editAt } from "../data/caches/triplet-items.ts";
import { toPixels } from "../data/pixels.ts";
import { renderTriplet } from "../data/world/triplet.ts";
import { noGrad } from "../engine/autodiff.ts";
import { Rng } from "../engine/random.ts";
import type { Tensor } from "../engine/tensor.ts";
import { EditModel } from "../eve/model/edit-model.ts";
import { resolveConfig, stageEntry, type Stage } from "../training/stage.ts";
import type { DetailBatch } from "../training/stages/detail-gates.ts";
import { openDetailGates } from "./tiny-detail-gates.ts";
import { tiny } from "./tiny.ts";

const root = temporaryFolder();
const folder = saveSmallModel(join(root, "model"));
const FROM = 700;
/** Half of a byte's step, of values in [-1, 1], and a little of the arithmetic. */
const ROUNDED = 1 / 255 + 1e-5;

/** The stage on seven edits of the small model, one of each task. */
async function opened(stage: Record<string, unknown> = {}): Promise<Stage<DetailBatch>> {
  const entry = stageEntry(tiny, "detail-gates");
  const own = { model: folder.path, cache: join(root, "cache"), items: 7, held: 7, from: FROM };
  const config = resolveConfig(entry, { ...entry.config, batch: 4, stage: { ...own, ...stage } });
  const context = { signal: new AbortController().signal, progress: () => {} };
  // The preset's table of stages forgets what their batches are
  return (await openDetailGates(config, context)) as Stage<DetailBatch>;
}

test("what they see is an edit's source, that there and back through the autoencoder, and what is drawn", async () => {
  const stage = await opened();
  const model = EditModel.load(folder.path);
  const { source, reconstruction, edited, picture } = await stage.nextBatch(0, 0);
  const requests = Array.from({ length: 7 }, (_, index) => {
    const number = FROM + index;
    const request = editAt("train", number);
    return renderTriplet(request, "train", frameOf(number), SMALL_SIZE);
  });
  const pixels = (rgb: Uint8Array): Tensor => toPixels([rgb], SMALL_SIZE, SMALL_SIZE);
  for (let row = 0; row < 4; row++) {
    const own = (all: Tensor): Tensor => all.narrow(0, row, 1);
    const triplet = requests.find(
      ({ before }) => largestDifference(own(source), pixels(before)) < 1e-6,
    );
    expect(triplet).toBeDefined();
    expect(largestDifference(own(picture), pixels(triplet!.after))).toBeLessThan(1e-6);
    const carried = noGrad(() => model.decode(model.encode(pixels(triplet!.before))));
    // Encoded in batches of another size: a rounding more
    expect(largestDifference(own(reconstruction), carried)).toBeLessThan(4 * ROUNDED);
    expect(largestDifference(own(edited), carried)).toBeGreaterThan(4 * ROUNDED);
  }
});

test("only the gates learn: steps along their gradients come nearer to the right pictures", async () => {
  const stage = await opened();
  expect([...stage.frozen.keys()].map((name) => name.split(".")[0])).toEqual(
    expect.arrayContaining(["textEncoder", "backbone", "editAdapter", "autoencoder"]),
  );
  descend(stage, await stage.nextBatch(0, 0));
});

test("errors count more where a pixel should change", async () => {
  const [even, heavy] = [await opened({ changeWeight: 1 }), await opened({ changeWeight: 3 })];
  const batch = await even.nextBatch(0, 0);
  const { source, picture } = batch;
  const losses = (stage: Stage<DetailBatch>, of: DetailBatch): number =>
    noGrad(() => stage.losses(of, Rng.seed(0)).absolute!.item());
  const nothingToDo = { ...batch, picture: source };
  expect(losses(heavy, nothingToDo)).toBeCloseTo(losses(even, nothingToDo), 6);
  const allToChange = { ...batch, picture: picture.mul(0).sub(5) };
  expect(losses(heavy, allToChange) / losses(even, allToChange)).toBeCloseTo(3, 4);
});

test("it is measured on edits that it does not learn by, those of the validation split", () => {
  const made = readdirSync(join(root, "cache")).filter((name) => name.startsWith("decoded-edits"));
  const splits = made.map((name) => /^decoded-edits-(\w+)-32-/.exec(name)?.[1] ?? name);
  expect(new Set(splits)).toEqual(new Set(["train", "validation"]));
});
