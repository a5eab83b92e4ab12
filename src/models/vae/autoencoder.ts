import { inTurn } from "../../engine/scope.ts";
import { Tensor, type Float, type Pixels } from "../../engine/tensor.ts";
import { dims } from "../../engine/axes.ts";
import { ShapeError, invariant } from "../../engine/errors.ts";
import { normal, type Rng } from "../../engine/random.ts";
import { Conv2d, pixelShuffle, pixelUnshuffle } from "../../nn/conv.ts";
import { layerSteps } from "../../nn/layer-steps.ts";
import { Module, type Parameters } from "../../nn/module.ts";
import type { GroupNorm } from "../../nn/norm.ts";
import { DownBlock, MidBlock, UpBlock, groupNorm } from "./blocks.ts";
import { latentStride, type VaeConfig } from "./config.ts";

/** The Gaussian that the encoder sees a picture as, before any normalisation. */
export interface Moments {
  readonly mean: Float<"b c h w">;
  /** Logarithm of the variance, in [-30, 20]. */
  readonly logvar: Float<"b c h w">;
}

/** Pixels to moments. */
export class Encoder extends Module {
  readonly convIn: Conv2d;
  readonly downBlocks: readonly DownBlock[];
  readonly midBlock: MidBlock;
  readonly convNormOut: GroupNorm;
  readonly convOut: Conv2d;

  constructor(rng: Rng, config: VaeConfig) {
    super();
    const { blockOutChannels: channels, normGroups: groups, layersPerBlock, patchSize } = config;
    const { finest, coarsest } = ends(config);
    this.convIn = new Conv2d(rng.split("convIn"), config.inChannels * patchSize ** 2, finest);
    this.downBlocks = channels.map((outputs, i) => {
      const isLast = i === channels.length - 1;
      const shape = { rng: rng.split("down").split(i), groups };
      return new DownBlock(layersPerBlock, channels[i - 1] ?? outputs, outputs, isLast, shape);
    });
    this.midBlock = new MidBlock(coarsest, config.midAttention, { rng: rng.split("mid"), groups });
    this.convNormOut = groupNorm(coarsest, groups);
    this.convOut = new Conv2d(rng.split("convOut"), coarsest, 2 * config.latentChannels);
  }

  forward(x: Float<"b c h w">): Float<"b 2z _ _"> {
    return inTurn(x, [
      ...layerSteps([this.convIn, ...this.downBlocks, this.midBlock]),
      (h) => this.convNormOut.forward(h).silu(),
      (h) => this.convOut.forward(h),
    ]);
  }
}

/** Raw latents to pixels. */
export class Decoder extends Module {
  readonly convIn: Conv2d;
  readonly midBlock: MidBlock;
  readonly upBlocks: readonly UpBlock[];
  readonly convNormOut: GroupNorm;
  readonly convOut: Conv2d;

  constructor(rng: Rng, config: VaeConfig) {
    super();
    const { normGroups: groups, layersPerBlock, patchSize } = config;
    const channels = config.blockOutChannels.toReversed();
    const { finest, coarsest } = ends(config);
    this.convIn = new Conv2d(rng.split("convIn"), config.latentChannels, coarsest);
    this.midBlock = new MidBlock(coarsest, config.midAttention, { rng: rng.split("mid"), groups });
    this.upBlocks = channels.map((outputs, i) => {
      const isLast = i === channels.length - 1;
      const shape = { rng: rng.split("up").split(i), groups };
      return new UpBlock(layersPerBlock + 1, channels[i - 1] ?? outputs, outputs, isLast, shape);
    });
    this.convNormOut = groupNorm(finest, groups);
    this.convOut = new Conv2d(rng.split("convOut"), finest, config.outChannels * patchSize ** 2);
  }

  forward(z: Float<"b z h w">): Float<"b c _ _"> {
    return inTurn(z, [
      ...layerSteps([this.convIn, this.midBlock, ...this.upBlocks]),
      (h) => this.convNormOut.forward(h).silu(),
      (h) => this.convOut.forward(h),
    ]);
  }
}

/**
 * The autoencoder between pixels and the latents that diffusion works on (AutoencoderKL, Rombach et al., 2022).
 *
 * A *raw* latent is what the networks exchange; a *latent* is `(raw − latentMean) / latentStd · scalingFactor`.
 * `encode` gives raw moments, because the KL term of training is about those; `latent`, `sample` and `decode`
 * speak of normalised latents.
 */
export class Autoencoder extends Module {
  readonly encoder: Encoder;
  readonly decoder: Decoder;
  readonly quantConv: Conv2d | null;
  readonly postQuantConv: Conv2d | null;
  readonly config: VaeConfig;

  constructor(rng: Rng, config: VaeConfig) {
    super();
    const { latentChannels, quantConv } = config;
    const pointwise = (name: string, channels: number): Conv2d | null => {
      return quantConv ? new Conv2d(rng.split(name), channels, channels, { kernel: 1 }) : null;
    };
    this.encoder = new Encoder(rng.split("encoder"), config);
    this.decoder = new Decoder(rng.split("decoder"), config);
    this.quantConv = pointwise("quantConv", 2 * latentChannels);
    this.postQuantConv = pointwise("postQuantConv", latentChannels);
    this.config = config;
  }

  /** The weights by which latents become pictures; the others decide what latents are. */
  decoderParameters(): Parameters {
    return new Map([...this.parameters()].filter(([name]) => isOfDecoder(name)));
  }

  /** The raw moments of pictures whose sides are multiples of `latentStride(config)`. */
  encode(x: Pixels<"b 3 h w">): Moments {
    const { c, h, w } = dims(x, "b c h w");
    const { inChannels, latentChannels, patchSize } = this.config;
    const stride = latentStride(this.config);
    if (c !== inChannels || h % stride !== 0 || w % stride !== 0) {
      throw new ShapeError(
        `expected [b ${inChannels} h w] with sides divisible by ${stride}, got [${x.shape.join(" ")}]`,
      );
    }
    const hidden = this.encoder.forward(pixelUnshuffle(x, patchSize));
    // float32: the KL term exponentiates the logarithm of the variance
    const moments = (this.quantConv?.forward(hidden) ?? hidden).to("float32");
    const mean = moments.narrow(1, 0, latentChannels);
    const logvar = moments.narrow(1, latentChannels, latentChannels);
    return { mean, logvar: logvar.clamp(-30, 20) };
  }

  /** A latent drawn from `moments`, or their mean without `rng`. */
  sample({ mean, logvar }: Moments, rng?: Rng): Float<"b c h w"> {
    if (!rng) return this.#normalise(mean);
    const noise = normal(rng, mean.shape).toDevice(mean.device);
    return this.#normalise(mean.add(logvar.mul(0.5).exp().mul(noise)));
  }

  /** The latent of pictures: the mean of what the encoder sees, or a draw from it. */
  latent(x: Pixels<"b 3 h w">, rng?: Rng): Float<"b c h w"> {
    return this.sample(this.encode(x), rng);
  }

  /** The pictures of latents, float32, not clamped. */
  decode(z: Float<"b c h w">): Pixels<"b 3 h w"> {
    const raw = this.#denormalise(z);
    const pixels = this.decoder.forward(this.postQuantConv?.forward(raw) ?? raw).to("float32");
    const { patchSize } = this.config;
    return pixelShuffle(pixels, patchSize);
  }

  #normalise(raw: Float<"b c h w">): Float<"b c h w"> {
    const { latentMean, latentStd, scalingFactor } = this.config;
    const centred = latentMean ? raw.sub(perChannel(latentMean, raw)) : raw;
    const scaled = latentStd ? centred.div(perChannel(latentStd, raw)) : centred;
    return scaled.mul(scalingFactor);
  }

  #denormalise(z: Float<"b c h w">): Float<"b c h w"> {
    const { latentMean, latentStd, scalingFactor } = this.config;
    const unscaled = z.div(scalingFactor);
    const spread = latentStd ? unscaled.mul(perChannel(latentStd, z)) : unscaled;
    return latentMean ? spread.add(perChannel(latentMean, z)) : spread;
  }
}

/** Whether the weight `name` of an autoencoder has a part only in how latents become pictures. */
export function isOfDecoder(name: string): boolean {
  return name.startsWith("decoder.") || name.startsWith("postQuantConv.");
}

/** Channels of the outermost scales. */
function ends({ blockOutChannels }: VaeConfig): { finest: number; coarsest: number } {
  const finest = blockOutChannels[0];
  const coarsest = blockOutChannels.at(-1);
  invariant(
    finest !== undefined && coarsest !== undefined,
    "an autoencoder config has at least one scale",
  );
  return { finest, coarsest };
}

function perChannel(values: readonly number[], like: Tensor): Float<"1 c 1 1"> {
  return Tensor.from(values, [1, values.length, 1, 1]).toDevice(like.device);
}
