import { dispatch, Tensor } from "../../src/engine/tensor.ts";
import { Rng } from "../../src/engine/random.ts";
import { Linear } from "../../src/nn/linear.ts";
import { Module } from "../../src/nn/module.ts";
import { sampleNumbers, TrainConfig, type TrainConfigInput } from "../../src/training/config.ts";
import type { Losses, Stage } from "../../src/training/stage.ts";

class Network extends Module {
  readonly first = new Linear(Rng.seed(1).split("first"), 4, 16);
  readonly second = new Linear(Rng.seed(1).split("second"), 16, 2);

  forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x).tanh());
  }
}

/** The tiny stage with its networks, for tests that look into them. */
export interface TinyStage extends Stage<Float32Array> {
  readonly network: Network;
  readonly teacher: Network;
  nextBatch(step: number, part: number): Float32Array;
}

/** Learns a fixed linear map from four numbers to two, beside a frozen network; takes milliseconds a step. */
export function tinyStage(config: TrainConfig, { noise = 0 } = {}): TinyStage {
  const network = new Network();
  const teacher = new Network();
  const data = Rng.seed(config.seed).split("data");
  return {
    name: "tiny",
    dataset: "random numbers",
    network,
    teacher,
    trainable: network.parameters(),
    frozen: teacher.parameters(),
    lossWeights: { size: 0.01 },
    nextBatch: (step, part) =>
      Float32Array.from(
        sampleNumbers(config, step, part).flatMap((n) => [...data.split(n).normals(4)]),
      ),
    losses: (batch, rng) => {
      const x = Tensor.from(batch, [batch.length / 4, 4]);
      const target = x.narrow(1, 0, 2).sub(x.narrow(1, 2, 2));
      const jitter = Tensor.from(rng.normals(target.size), target.shape);
      const drawn = network.forward(x);
      return {
        error: drawn.sub(target).addScaled(jitter, noise).square().mean(),
        size: drawn.sub(teacher.forward(x)).abs().mean(),
      };
    },
    validate: () => ({
      firstWeight: network.first.weight.detach().select(0, 0).select(0, 0).item(),
    }),
    samples: async () => [
      {
        type: "sheet",
        name: "noise",
        rows: [[dispatch("aten::zeros", [3, 8, 8])]],
        labels: ["zero"],
      },
    ],
  };
}

/** The tiny stage with a critic: from step `from` on it learns to tell what is drawn from the target, and is fooled. */
export function contestedStage(config: TrainConfig, { from }: { from: number }): Stage<Contest> {
  const stage = tinyStage(config);
  const critic = new Linear(Rng.seed(2).split("critic"), 2, 1);
  const batches = (step: number, part: number): Contest => ({
    numbers: stage.nextBatch(step, part),
    isContested: step >= from,
  });
  const losses = ({ numbers, isContested }: Contest, rng: Rng): Losses => {
    const own = stage.losses(numbers, rng);
    if (!isContested) return own;
    const x = Tensor.from(numbers, [numbers.length / 4, 4]);
    const target = x.narrow(1, 0, 2).sub(x.narrow(1, 2, 2));
    const drawn = stage.network.forward(x);
    const blind = critic.weight.detach();
    return {
      ...own,
      fool: drawn.matmul(blind.transpose(0, 1)).mean().mul(-1),
      judge: critic.forward(drawn.detach()).sub(critic.forward(target)).mean(),
    };
  };
  const adversaries = {
    trainable: critic.parameters(),
    learningRate: 0.01,
    betas: [0, 0.99] as const,
  };
  return {
    ...stage,
    nextBatch: batches,
    losses,
    adversaries,
  };
}

/** A batch of the contested stage. */
export interface Contest {
  readonly numbers: Float32Array;
  readonly isContested: boolean;
}

/** Settings for the tiny stage. */
export function tinyConfig(settings: Partial<TrainConfigInput> = {}): TrainConfig {
  return TrainConfig.parse({
    steps: 20,
    batch: 8,
    learningRate: 0.02,
    precision: "float32",
    threads: 1,
    ...settings,
  });
}
