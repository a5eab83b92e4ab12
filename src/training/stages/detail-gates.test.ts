import { expect, test } from "vitest";
import { editItems } from "../../../test/support/latent-items.ts";
import { disturbed } from "../../../test/support/small-model.ts";
import { ShardedCache } from "../../data/caches/shards.ts";
import { bytesToPixels, unitRange } from "../../data/pixels.ts";
import { psnr } from "../../data/psnr.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { normal, Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor, type Pixels } from "../../engine/tensor.ts";
import { DetailGatesConfig } from "../../models/detail/config.ts";
import { DetailGates } from "../../models/detail/detail-gates.ts";
import { TrainConfig } from "../config.ts";
import type { Stage } from "../stage.ts";
import { detailGatesStage, type DetailBatch } from "./detail-gates.ts";

const COUNT = 3;
const NAMES = ["source", "reconstruction", "edited", "picture"] as const;
const gates = disturbed(
  new DetailGates(Rng.seed(1), DetailGatesConfig.parse({ channels: [8, 8] })),
);
const bytes = (name: string): Tensor =>
  normal(Rng.seed(5).split(name), [COUNT, 16, 16, 3]).mul(40).add(128).clamp(0, 255).to("uint8");
const words = editItems(COUNT);
const items = new ShardedCache([
  {
    tensors: new Map(NAMES.map((name) => [name, bytes(name)])),
    texts: words.firstIndices(COUNT).map((item) => words.text(item)),
  },
]);

function open(changeWeight: number): Stage<DetailBatch> {
  const stage = { changeWeight };
  const config = TrainConfig.parse({ steps: 2, batch: 2, learningRate: 1e-3, stage });
  return detailGatesStage(gates, { train: items, held: items, frozen: new Map() }, config);
}

function pixels(name: string, rows: readonly number[]): Pixels<"b 3 h w"> {
  return bytesToPixels(items.gather(name, rows));
}

test("tells how far edits are from right with the gates, and as they were drawn", async () => {
  using _ = tensorScope();
  const meanOf = (output: (item: number) => Pixels<"b 3 h w">): number => {
    const all = items
      .firstIndices(COUNT)
      .map((item) => psnr(unitRange(output(item)), unitRange(pixels("picture", [item]))));
    return all.reduce((sum, value) => sum + value / COUNT, 0);
  };
  const gated = meanOf((item) => {
    const [source, reconstruction, edited] = NAMES.map((name) => pixels(name, [item]));
    return noGrad(() =>
      gates.forward({ source: source!, reconstruction: reconstruction!, edited: edited! }),
    );
  });
  const drawn = meanOf((item) => pixels("edited", [item]));
  const numbers = await open(1).validate!();
  expect(numbers["psnr"]).toBeCloseTo(gated, 6);
  expect(numbers["drawn"]).toBeCloseTo(drawn, 6);
  expect(Math.abs(gated - drawn)).toBeGreaterThan(0.01);
});

test("both errors count more where a pixel should change", async () => {
  using _ = tensorScope();
  const batch = await open(1).nextBatch(0, 0);
  // half of each picture is to change from black to white, the other half to stay black
  const black = batch.source.mul(0).sub(1);
  const [left, right] = [black.narrow(3, 0, 8), black.narrow(3, 8, 8)];
  const half = { ...batch, source: black, picture: Tensor.cat([left.mul(-1), right], 3) };
  const error = noGrad(() => gates.forward(half).sub(half.picture));
  const weight = Tensor.cat([left.mul(-3), right.mul(-1)], 3);
  const losses = noGrad(() => open(3).losses(half, Rng.seed(0)));
  const wanted = { absolute: error.abs(), squared: error.square() };
  for (const [name, errors] of Object.entries(wanted))
    expect(losses[name]!.item(), name).toBeCloseTo(errors.mul(weight).mean().item(), 5);
});
