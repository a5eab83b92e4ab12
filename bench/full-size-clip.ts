// CLIP at its published size on formula weights: how far its vectors are from transformers', seconds per picture, and the
// memory beside the weights for eight pictures at once, as evaluation has them.
//
//   node bench/full-size-clip.ts [l14|h14]
//
// Needs 2 GB of memory for l14, 4.5 GB for h14, and half a minute or more for the weights alone.
// test/golden/clip/full_size.py made what it is compared with.
import { noGrad } from "../src/engine/autodiff.ts";
import { Rng } from "../src/engine/random.ts";
import { loadSafetensors } from "../src/engine/safetensors.ts";
import { scoped, tensorScope } from "../src/engine/scope.ts";
import { engineInfo } from "../src/engine/settings.ts";
import { Clip } from "../src/models/clip/clip.ts";
import { CLIP_H14, CLIP_L14 } from "../src/models/clip/config.ts";
import { publicWeights } from "../src/models/clip/weights.ts";
import { uninitialised } from "../src/nn/init.ts";
import { largestDifference } from "../test/support/difference.ts";
import { formulaInput, formulaTensor } from "../test/support/formula-weights.ts";
import { peakDuring } from "./full-width.ts";

const name = process.argv[2] ?? "l14";
const config = { l14: CLIP_L14, h14: CLIP_H14 }[name];
if (!config) throw new Error(`expected l14 or h14, got ${name}`);
const clip = uninitialised(() => new Clip(Rng.seed(0), config));
for (const [key, weight] of publicWeights(clip)) {
  using _ = tensorScope();
  weight.copyFrom(formulaTensor(key, weight.shape));
}
const path = `../test/golden/clip/full-size-${name}.safetensors`;
const expected = loadSafetensors(new URL(path, import.meta.url).pathname);
const pixels = formulaInput("pixels", [1, 3, 224, 224], 0.9);
const start = performance.now();
const image = scoped(() => noGrad(() => clip.imageFeatures(pixels)));
const seconds = (performance.now() - start) / 1000;
const text = scoped(() => noGrad(() => clip.textFeatures(expected.get("ids")!)));
for (const [what, found] of Object.entries({ image, text })) {
  const reference = expected.get(what)!;
  const scale = reference.abs().max().item();
  const share = largestDifference(found, reference) / scale;
  console.log(
    `${name} ${what}: off by ${share.toExponential(1)} of the largest, ${scale.toFixed(3)}`,
  );
}
const peak = peakDuring(() =>
  scoped(() => noGrad(() => clip.imageFeatures(formulaInput("pixels", [8, 3, 224, 224], 0.9)))),
);
console.log(`${(peak / 1e9).toFixed(2)} GB beside the weights for eight pictures at once`);
console.log(`${seconds.toFixed(2)} s for one picture, ${engineInfo().threads} threads, float32`);
