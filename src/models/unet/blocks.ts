import { Tensor, type Float } from "../../engine/tensor.ts";
import type { Rng } from "../../engine/random.ts";
import { scoped } from "../../engine/scope.ts";
import { Conv2d, upsampleNearest } from "../../nn/conv.ts";
import { Module } from "../../nn/module.ts";
import { headsAt, timeChannels, type BlockType, type UNetConfig } from "./config.ts";
import { evaluated, type Pass } from "./pass.ts";
import { Resnet, type ResnetShape } from "./resnet.ts";
import { Transformer, type TransformerShape } from "./transformer.ts";

/** One level of a U-Net: where it stands and what it is made of. */
export type LevelShape = {
  readonly type: BlockType;
  /** 0 is the finest. */
  readonly level: number;
  /** Whether this is the last one on its way down or up: then it does not resize. */
  readonly isLast: boolean;
};

function resnetShape(config: UNetConfig): ResnetShape {
  return { timeChannels: timeChannels(config), groups: config.normGroups, eps: config.normEps };
}

function transformerShape(config: UNetConfig, level: number): TransformerShape {
  return {
    heads: headsAt(config, level),
    textChannels: config.crossAttentionDim,
    layers: config.transformerLayers,
    expansion: config.feedForwardExpansion,
    groups: config.normGroups,
  };
}

/** A strided or an upsampling convolution; public names hold it in a list of one. */
export class Resize extends Module {
  readonly conv: Conv2d;
  readonly #isUp: boolean;

  constructor(rng: Rng, channels: number, direction: "down" | "up") {
    super();
    this.#isUp = direction === "up";
    this.conv = new Conv2d(rng, channels, channels, { stride: this.#isUp ? 1 : 2 });
  }

  /** Half or double the size, in float32, as everything that residuals are added to. */
  forward(x: Float<"b c h w">, { apply }: Pick<Pass, "apply">): Float<"b c _ _"> {
    return scoped(() => apply(this.conv, this.#isUp ? upsampleNearest(x) : x).to("float32"));
  }
}

function transformers(
  rng: Rng,
  count: number,
  { type, level }: LevelShape,
  config: UNetConfig,
): Transformer[] {
  const channels = config.blockOutChannels[level]!;
  return Array.from({ length: type === "plain" ? 0 : count }, (_, i) => {
    return new Transformer(
      rng.split("attention").split(i),
      channels,
      transformerShape(config, level),
    );
  });
}

/** ResNets (and transformers) of one level on the way down, then half the size. */
export class DownBlock extends Module {
  readonly resnets: readonly Resnet[];
  readonly attentions: readonly Transformer[];
  readonly downsamplers: readonly Resize[];

  constructor(rng: Rng, shape: LevelShape, config: UNetConfig) {
    super();
    const { blockOutChannels: channels, layersPerBlock: layers } = config;
    const outputs = channels[shape.level]!;
    const inputs = channels[shape.level - 1] ?? outputs;
    this.resnets = Array.from({ length: layers }, (_, i) => {
      return new Resnet(
        rng.split("resnet").split(i),
        i === 0 ? inputs : outputs,
        outputs,
        resnetShape(config),
      );
    });
    this.attentions = transformers(rng, layers, shape, config);
    this.downsamplers = shape.isLast ? [] : [new Resize(rng.split("downsample"), outputs, "down")];
  }

  /** The state behind every layer, finest first. */
  forward(x: Float<"b c h w">, pass: Pass): Tensor[] {
    const states: Tensor[] = [];
    let h = x;
    this.resnets.forEach((resnet, i) => {
      const layer = (own: Pass, x0: Tensor): Tensor => layerAt(resnet, this.attentions[i], x0, own);
      h = evaluated(pass, layer, h);
      states.push(h);
    });
    const smaller = this.downsamplers.map((resize) => resized(resize, h, pass));
    return [...states, ...smaller];
  }
}

/** A ResNet, and the transformer behind it where there is one. */
function layerAt(
  resnet: Resnet,
  transformer: Transformer | undefined,
  x: Float<"b c h w">,
  pass: Pass,
): Float<"b c h w"> {
  const convolved = resnet.forward(x, pass);
  return transformer?.forward(convolved, pass) ?? convolved;
}

function resized(resize: Resize, x: Float<"b c h w">, pass: Pass): Float<"b c _ _"> {
  return evaluated(pass, (own, state) => resize.forward(state, own), x);
}

/** The coarsest level's ResNet, transformer, ResNet. */
export class MidBlock extends Module {
  readonly attentions: readonly [Transformer];
  readonly resnets: readonly [Resnet, Resnet];

  constructor(rng: Rng, config: UNetConfig) {
    super();
    const level = config.blockOutChannels.length - 1;
    const channels = config.blockOutChannels[level]!;
    this.attentions = [
      new Transformer(rng.split("attention"), channels, transformerShape(config, level)),
    ];
    this.resnets = [
      new Resnet(rng.split("resnet").split(0), channels, channels, resnetShape(config)),
      new Resnet(rng.split("resnet").split(1), channels, channels, resnetShape(config)),
    ];
  }

  forward(x: Float<"b c h w">, pass: Pass): Float<"b c h w"> {
    const [first, second] = this.resnets;
    const layer = (own: Pass, h: Tensor): Tensor => layerAt(first, this.attentions[0], h, own);
    return evaluated(pass, (own, h) => second.forward(h, own), evaluated(pass, layer, x));
  }
}

/** ResNets (and transformers) of one level on the way up, each reading one state of the way down; then double the size. */
export class UpBlock extends Module {
  readonly resnets: readonly Resnet[];
  readonly attentions: readonly Transformer[];
  readonly upsamplers: readonly Resize[];

  constructor(rng: Rng, shape: LevelShape, config: UNetConfig) {
    super();
    const { blockOutChannels: channels, layersPerBlock } = config;
    const layers = layersPerBlock + 1;
    const outputs = channels[shape.level]!;
    const below = channels[shape.level + 1] ?? outputs;
    const above = channels[shape.level - 1] ?? outputs;
    this.resnets = Array.from({ length: layers }, (_, i) => {
      const skip = i === layers - 1 ? above : outputs;
      const inputs = (i === 0 ? below : outputs) + skip;
      return new Resnet(rng.split("resnet").split(i), inputs, outputs, resnetShape(config));
    });
    this.attentions = transformers(rng, layers, shape, config);
    this.upsamplers = shape.isLast ? [] : [new Resize(rng.split("upsample"), outputs, "up")];
  }

  /** Takes one state per ResNet off the end of `states`. */
  forward(x: Float<"b c h w">, states: Tensor[], pass: Pass): Float<"b c _ _"> {
    let h = x;
    this.resnets.forEach((resnet, i) => {
      const layer = (own: Pass, below: Tensor, state: Tensor): Tensor =>
        layerAt(resnet, this.attentions[i], Tensor.cat([below, state], 1), own);
      h = evaluated(pass, layer, h, states.pop()!);
    });
    return this.upsamplers.reduce((value, resize) => resized(resize, value, pass), h);
  }
}
