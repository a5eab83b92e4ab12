import { expect, test } from "vitest";
import { editItems } from "../../../test/support/latent-items.ts";
import { SMALL_AUTOENCODER } from "../../../test/support/small-model.ts";
import { ShardedCache } from "../../data/caches/shards.ts";
import { bytesToPixels, unitRange } from "../../data/pixels.ts";
import { psnr } from "../../data/psnr.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { normal, Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Autoencoder } from "../../models/vae/autoencoder.ts";
import { TrainConfig } from "../config.ts";
import { decoderStage } from "./decoder.ts";

const COUNT = 3;
const autoencoder = new Autoencoder(Rng.seed(1), SMALL_AUTOENCODER);
const rng = Rng.seed(5);
const latents = [COUNT, 4, 8, 8];
const picture = normal(rng.split("picture"), [COUNT, 32, 32, 3]).mul(40).add(128).clamp(0, 255);
const items = new ShardedCache([
  {
    tensors: new Map([
      ["drawn", normal(rng.split("drawn"), latents)],
      ["encoded", normal(rng.split("encoded"), latents).mul(3)],
      ["picture", picture.to("uint8")],
    ]),
    texts: editItems(COUNT)
      .firstIndices(COUNT)
      .map((item) => editItems(COUNT).text(item)),
  },
]);

test("tells how well it decodes what was encoded, and what was drawn", async () => {
  const config = TrainConfig.parse({ steps: 2, batch: 2, learningRate: 1e-3 });
  const stage = decoderStage(autoencoder, { train: items, held: items, frozen: new Map() }, config);
  using _ = tensorScope();
  const meanOf = (name: "drawn" | "encoded"): number => {
    const all = items.firstIndices(COUNT).map((item) => {
      const decoded = noGrad(() => autoencoder.decode(items.gather(name, [item])));
      return psnr(unitRange(decoded), unitRange(bytesToPixels(items.gather("picture", [item]))));
    });
    return all.reduce((sum, value) => sum + value / COUNT, 0);
  };
  const numbers = await stage.validate!();
  expect(numbers["psnr"]).toBeCloseTo(meanOf("encoded"), 6);
  expect(numbers["drawn"]).toBeCloseTo(meanOf("drawn"), 6);
  expect(Math.abs(meanOf("encoded") - meanOf("drawn"))).toBeGreaterThan(0.01);
});
