import { inTurn, scoped } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import { dims, rearrange } from "../../engine/axes.ts";
import type { Rng } from "../../engine/random.ts";
import { attend } from "../../nn/attention.ts";
import { Conv2d, upsampleNearest, zeroPad } from "../../nn/conv.ts";
import { layerSteps } from "../../nn/layer-steps.ts";
import { Linear } from "../../nn/linear.ts";
import { Module } from "../../nn/module.ts";
import { GroupNorm } from "../../nn/norm.ts";

const EPS = 1e-6;

/** What every block of one autoencoder shares. */
export interface BlockShape {
  readonly rng: Rng;
  readonly groups: number;
}

/** The normalisation that every part of the autoencoder uses. */
export function groupNorm(channels: number, groups: number): GroupNorm {
  return new GroupNorm(channels, { groups, eps: EPS });
}

/** Two convolutions added to their input. */
export class ResnetBlock extends Module {
  readonly norm1: GroupNorm;
  readonly conv1: Conv2d;
  readonly norm2: GroupNorm;
  readonly conv2: Conv2d;
  readonly convShortcut: Conv2d | null;

  constructor(inputs: number, outputs: number, { rng, groups }: BlockShape) {
    super();
    this.norm1 = groupNorm(inputs, groups);
    this.conv1 = new Conv2d(rng.split("conv1"), inputs, outputs);
    this.norm2 = groupNorm(outputs, groups);
    this.conv2 = new Conv2d(rng.split("conv2"), outputs, outputs);
    const isWidened = inputs !== outputs;
    this.convShortcut = isWidened
      ? new Conv2d(rng.split("convShortcut"), inputs, outputs, { kernel: 1 })
      : null;
  }

  forward(x: Float<"b in h w">): Float<"b out h w"> {
    return scoped(() => {
      const update = inTurn(x, [
        (h) => this.norm1.forward(h).silu(),
        (h) => this.conv1.forward(h),
        (h) => this.norm2.forward(h).silu(),
        (h) => this.conv2.forward(h),
      ]);
      return (this.convShortcut?.forward(x) ?? x).add(update);
    });
  }
}

/** Attention of every place to every other, one head as wide as the channels, added to its input. */
export class AttentionBlock extends Module {
  readonly groupNorm: GroupNorm;
  readonly toQ: Linear;
  readonly toK: Linear;
  readonly toV: Linear;
  readonly toOut: readonly [Linear];

  constructor(channels: number, { rng, groups }: BlockShape) {
    super();
    this.groupNorm = groupNorm(channels, groups);
    this.toQ = new Linear(rng.split("toQ"), channels, channels);
    this.toK = new Linear(rng.split("toK"), channels, channels);
    this.toV = new Linear(rng.split("toV"), channels, channels);
    this.toOut = [new Linear(rng.split("toOut"), channels, channels)];
  }

  forward(x: Float<"b c h w">): Float<"b c h w"> {
    return scoped(() => {
      const { h, w } = dims(x, "_ _ h w");
      const tokens = rearrange(this.groupNorm.forward(x), "b c h w -> b (h w) c");
      const asOneHead = (layer: Linear): Float<"b 1 n c"> => layer.forward(tokens).unsqueeze(1);
      const read = attend(asOneHead(this.toQ), asOneHead(this.toK), asOneHead(this.toV)).squeeze(1);
      const update = this.toOut[0].forward(read);
      return x.add(rearrange(update, "b (h w) c -> b c h w", { h, w }));
    });
  }
}

/** Halves height and width; the zeros go to the right and the bottom alone, as the public weights expect. */
export class Downsampler extends Module {
  readonly conv: Conv2d;

  constructor(channels: number, { rng }: BlockShape) {
    super();
    this.conv = new Conv2d(rng.split("conv"), channels, channels, { stride: 2, padding: 0 });
  }

  forward(x: Float<"b c h w">): Float<"b c h/2 w/2"> {
    return this.conv.forward(zeroPad(x, [0, 1, 0, 1]));
  }
}

/** Doubles height and width. */
export class Upsampler extends Module {
  readonly conv: Conv2d;

  constructor(channels: number, { rng }: BlockShape) {
    super();
    this.conv = new Conv2d(rng.split("conv"), channels, channels);
  }

  forward(x: Float<"b c h w">): Float<"b c 2h 2w"> {
    return this.conv.forward(upsampleNearest(x));
  }
}

/** The residual blocks of one scale. */
export function resnets(
  count: number,
  inputs: number,
  outputs: number,
  { rng, groups }: BlockShape,
): ResnetBlock[] {
  return Array.from({ length: count }, (_, i) => {
    return new ResnetBlock(i === 0 ? inputs : outputs, outputs, {
      rng: rng.split("resnet").split(i),
      groups,
    });
  });
}

/** One scale of the encoder. */
export class DownBlock extends Module {
  readonly resnets: readonly ResnetBlock[];
  readonly downsamplers: readonly Downsampler[];

  constructor(layers: number, inputs: number, outputs: number, isLast: boolean, shape: BlockShape) {
    super();
    this.resnets = resnets(layers, inputs, outputs, shape);
    this.downsamplers = isLast ? [] : [new Downsampler(outputs, shape)];
  }

  forward(x: Float<"b in h w">): Float<"b out _ _"> {
    return inTurn(x, layerSteps([...this.resnets, ...this.downsamplers]));
  }
}

/** One scale of the decoder. */
export class UpBlock extends Module {
  readonly resnets: readonly ResnetBlock[];
  readonly upsamplers: readonly Upsampler[];

  constructor(layers: number, inputs: number, outputs: number, isLast: boolean, shape: BlockShape) {
    super();
    this.resnets = resnets(layers, inputs, outputs, shape);
    this.upsamplers = isLast ? [] : [new Upsampler(outputs, shape)];
  }

  forward(x: Float<"b in h w">): Float<"b out _ _"> {
    return inTurn(x, layerSteps([...this.resnets, ...this.upsamplers]));
  }
}

/** The coarsest scale: two residual blocks around an optional attention. */
export class MidBlock extends Module {
  readonly attentions: readonly AttentionBlock[];
  readonly resnets: readonly [ResnetBlock, ResnetBlock];

  constructor(channels: number, hasAttention: boolean, { rng, groups }: BlockShape) {
    super();
    this.attentions = hasAttention
      ? [new AttentionBlock(channels, { rng: rng.split("attention"), groups })]
      : [];
    this.resnets = [
      new ResnetBlock(channels, channels, { rng: rng.split("resnet").split(0), groups }),
      new ResnetBlock(channels, channels, { rng: rng.split("resnet").split(1), groups }),
    ];
  }

  forward(x: Float<"b c h w">): Float<"b c h w"> {
    const [first, second] = this.resnets;
    return inTurn(x, layerSteps([first, ...this.attentions, second]));
  }
}
