import type { Rng } from "../../engine/random.ts";
import { keep, tensorScope } from "../../engine/scope.ts";
import type { Float, Tensor } from "../../engine/tensor.ts";
import { Conv2d } from "../../nn/conv.ts";
import type { ApplyLayer } from "../../nn/lora.ts";
import { TimeEmbedding } from "../../nn/time-embedding.ts";
import { DownBlock, MidBlock } from "./blocks.ts";
import { timeChannels, type UNetConfig } from "./config.ts";
import type { Pass } from "./pass.ts";

/** The half of a U-Net that a ControlNet copies. Both hold these parts under these names. */
export type EncoderParts = {
  readonly convIn: Conv2d;
  readonly timeEmbedding: TimeEmbedding;
  readonly downBlocks: readonly DownBlock[];
  readonly midBlock: MidBlock;
};

/** Builds the way down and the middle of a U-Net. */
export function buildEncoder(rng: Rng, config: UNetConfig): EncoderParts {
  const { blockOutChannels: channels, inChannels, patchSize, downBlockTypes } = config;
  const finest = channels[0]!;
  return {
    convIn: new Conv2d(rng.split("convIn"), inChannels * patchSize ** 2, finest),
    timeEmbedding: new TimeEmbedding(rng.split("timeEmbedding"), finest, timeChannels(config)),
    downBlocks: downBlockTypes.map((type, level) => {
      const isLast = level === channels.length - 1;
      return new DownBlock(rng.split("down").split(level), { type, level, isLast }, config);
    }),
    midBlock: new MidBlock(rng.split("mid"), config),
  };
}

/** What the encoder hands on: the state behind every layer, finest first, and the middle block's output. */
export type EncoderStates = {
  readonly down: Tensor[];
  readonly mid: Float<"b c h w">;
};

/**
 * What `work` makes, all else freed behind it: memory then holds what is handed on, and not the states that led to it.
 *
 * With `recompute` nothing is freed: the backward pass begins with those states.
 */
export function handedOn(
  { recompute }: Pick<Pass, "recompute">,
  work: () => EncoderStates,
): EncoderStates {
  if (recompute) return work();
  using _ = tensorScope();
  const { down, mid } = work();
  return { down: down.map(keep), mid: keep(mid) };
}

/** Runs the way down and the middle on `h`, the output of the first convolution. */
export function encode(
  { downBlocks, midBlock }: EncoderParts,
  h: Float<"b c h w">,
  pass: Pass,
): EncoderStates {
  const down = [h];
  for (const block of downBlocks) down.push(...block.forward(down.at(-1)!, pass));
  return { down, mid: midBlock.forward(down.at(-1)!, pass) };
}

/** Channels of each state that `encode` returns under `down`. */
export function stateChannels({ blockOutChannels, layersPerBlock }: UNetConfig): number[] {
  const perLevel = blockOutChannels.flatMap((channels, level) => {
    const isLast = level === blockOutChannels.length - 1;
    return Array.from({ length: layersPerBlock + (isLast ? 0 : 1) }, () => channels);
  });
  return [blockOutChannels[0]!, ...perLevel];
}

/** The time vector for labels `t` (0 to 999), shifted by what a caller adds, behind its SiLU. */
export function timeVector(
  { timeEmbedding }: EncoderParts,
  t: Float<"b">,
  { timeShift, apply }: { timeShift?: Float<"b e"> | undefined; apply: ApplyLayer },
): Float<"b e"> {
  const time = timeEmbedding.forward(t, apply);
  return (timeShift ? time.add(timeShift) : time).silu();
}
