import { noGrad } from "../src/engine/autodiff.ts";
import type { DType } from "../src/engine/dtype.ts";
import { Rng } from "../src/engine/random.ts";
import { tensorScope } from "../src/engine/scope.ts";
import { autocast } from "../src/engine/settings.ts";
import { persist } from "../src/engine/scope.ts";
import { Tensor, type Float } from "../src/engine/tensor.ts";
import { Conv2d } from "../src/nn/conv.ts";
import { GroupNorm } from "../src/nn/norm.ts";

const CHANNELS = 128;
const BLOCKS = 8;
const SHAPE = [16, CHANNELS, 32, 32];
const LEARNING_RATE = 0.01;
const WEIGHT_DECAY = 0.01;

/** How the residual stack computes. */
export interface StackOptions {
  readonly precision: DType;
  readonly channelsLast: boolean;
}

/** Values that Python makes the same way: `cos(0), cos(1), …`, scaled. */
function waves(shape: readonly number[], scale: number): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return Tensor.from(
    Float32Array.from({ length: count }, (_, index) => Math.cos(index) * scale),
    shape,
  );
}

/**
 * One training step of eight residual blocks `x + conv3×3(silu(group_norm(x)))`, 128 channels, 32², batch 16.
 *
 * `residual_stack.py` is the same step in Python. The returned function runs a step and gives its loss.
 */
export function residualStep({ precision, channelsLast }: StackOptions): () => number {
  const blocks = Array.from({ length: BLOCKS }, () => {
    const conv = new Conv2d(Rng.seed(0), CHANNELS, CHANNELS);
    conv.weight.copyFrom(waves(conv.weight.shape, 1 / Math.sqrt(9 * CHANNELS)));
    conv.bias?.copyFrom(Tensor.zeros([CHANNELS]));
    return { norm: new GroupNorm(CHANNELS).setTrainable(true), conv: conv.setTrainable(true) };
  });
  const weights = blocks.flatMap(({ norm, conv }) => [
    ...norm.parameters().values(),
    ...conv.parameters().values(),
  ]);
  const plain = waves(SHAPE, 1);
  const input = persist(channelsLast ? plain.channelsLast() : plain);

  const forward = (x: Float<"b c h w">): Float<"b c h w"> =>
    blocks.reduce((h, { norm, conv }) => h.add(conv.forward(norm.forward(h).silu())), x);

  return () => {
    using _ = tensorScope();
    const loss = autocast(precision, () => forward(input).square().mean());
    loss.backward();
    noGrad(() => {
      for (const weight of weights) {
        const { grad } = weight;
        if (grad) weight.blendInPlace(grad, 1 - LEARNING_RATE * WEIGHT_DECAY, -LEARNING_RATE);
        weight.clearGrad();
      }
    });
    return loss.item();
  };
}
