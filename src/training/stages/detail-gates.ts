import type { EditText } from "../../data/caches/latents.ts";
import type { CachedItems } from "../../data/caches/shards.ts";
import { changedRegion } from "../../data/changed-region.ts";
import { bytesToPixels, unitRange } from "../../data/pixels.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { Rng } from "../../engine/random.ts";
import type { Float, Pixels } from "../../engine/tensor.ts";
import type { DetailGates, EditedPixels } from "../../models/detail/detail-gates.ts";
import type { Parameters } from "../../nn/module.ts";
import { sampleNumbers, type TrainConfig } from "../config.ts";
import type { Sample, Stage } from "../stage.ts";
import { AUTOENCODER_LOSSES, meanPsnr } from "./autoencoder.ts";
import { separate } from "./drawings.ts";
import { DetailGatesSettings } from "./settings.ts";

/** What the gates learn by. */
export interface DetailMaterial {
  /** As `openDecodedEdits` keeps them. */
  readonly train: CachedItems<EditText>;
  readonly held: CachedItems<EditText>;
  /** Weights that must not change: all that made the edits. */
  readonly frozen: Parameters;
}

/** Edits, and the pictures that they should be. */
export interface DetailBatch extends EditedPixels {
  readonly picture: Pixels<"b 3 h w">;
}

/** Trains the gates by which edited pictures get back what they should have kept; all that edits is frozen. */
export function detailGatesStage(
  gates: DetailGates,
  { train, held, frozen }: DetailMaterial,
  config: TrainConfig,
): Stage<DetailBatch> {
  const { changeWeight, from } = DetailGatesSettings.parse(config.stage);
  gates.setTrainable(true);
  const source = Rng.seed(config.seed).split("detail");
  return {
    name: "detail-gates",
    dataset: `generated world, ${train.count} edited frames of the train split, from triplet ${from} on`,
    trainable: gates.parameters(),
    frozen,
    lossWeights: AUTOENCODER_LOSSES,
    nextBatch: (step, part) =>
      batchOf(
        train,
        sampleNumbers(config, step, part).map((number) =>
          source.split(number).integer(train.count),
        ),
      ),
    losses: (batch) => {
      const error = gates.forward(batch).sub(batch.picture);
      const changed = changedRegion(unitRange(batch.source), unitRange(batch.picture));
      const weight = changed.mul(changeWeight - 1).add(1);
      return {
        absolute: error.abs().mul(weight).mean(),
        squared: error.square().mul(weight).mean(),
      };
    },
    samples: async () => [sheet(gates, held)],
    validate: () => noGrad(() => meanPsnrs(gates, held)),
  };
}

function batchOf(items: CachedItems<EditText>, indices: readonly number[]): DetailBatch {
  const pixels = (name: string): Pixels<"b 3 h w"> => bytesToPixels(items.gather(name, indices));
  return {
    source: pixels("source"),
    reconstruction: pixels("reconstruction"),
    edited: pixels("edited"),
    picture: pixels("picture"),
  };
}

/** The mean PSNR of held edits to what they should be, in dB: with the gates, and as they were drawn. */
function meanPsnrs(gates: DetailGates, held: CachedItems<EditText>): Record<string, number> {
  const mean = (outputOf: (batch: DetailBatch) => Pixels<"b 3 h w">): number =>
    meanPsnr(held.firstIndices(held.count), (index) => {
      const batch = batchOf(held, [index]);
      return [outputOf(batch), batch.picture];
    });
  return {
    psnr: mean((batch) => gates.forward(batch).clamp(-1, 1)),
    drawn: mean(({ edited }) => edited),
  };
}

/** Held edits: what came in, what was drawn, how much of the source comes back, the result, and what is right. */
function sheet(gates: DetailGates, held: CachedItems<EditText>): Sample {
  const batch = batchOf(held, held.firstIndices(8));
  const { lost, changed, finished } = noGrad(() => ({
    ...gates.gates(batch),
    finished: gates.forward(batch).clamp(-1, 1),
  }));
  const gray = (gate: Float<"b 1 h w">): Pixels<"b 3 h w"> =>
    gate.mul(2).sub(1).expand([-1, 3, -1, -1]);
  const { source, edited, picture } = batch;
  return {
    type: "sheet",
    name: "detail",
    rows: [source, edited, gray(lost), gray(changed), finished, picture].map(separate),
    labels: [
      "what comes in",
      "drawn by the edit adapter and decoded",
      "how much comes back of what the autoencoder lost",
      "how much comes back of what the edit changed",
      "with both",
      "the right pictures",
    ],
  };
}
