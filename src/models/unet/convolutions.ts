import { Conv2d } from "../../nn/conv.ts";
import { modulesOf } from "../../nn/module-map.ts";
import type { Module } from "../../nn/module.ts";
import type { EncoderParts } from "./encoder.ts";
import type { UNet } from "./unet.ts";

/** A U-Net, or one that has its way down and its middle alone, as a ControlNet has. */
export type Levelled = Pick<EncoderParts, "downBlocks" | "midBlock"> &
  Partial<Pick<UNet, "upBlocks">>;

/**
 * The convolutions on all levels of `networks`, those first that see the largest pictures, and on a level network by
 * network. What stands before the first level or behind the last is left out.
 */
export function convolutionsFinestFirst(networks: readonly Levelled[]): Conv2d[] {
  const levels = networks.map(blocksByLevel);
  const depth = Math.max(0, ...levels.map(({ length }) => length));
  return Array.from({ length: depth }, (_, level) => level).flatMap((level) =>
    levels.flatMap((blocks) =>
      (blocks[level] ?? []).flatMap((block) => [...modulesOf(block, Conv2d).values()]),
    ),
  );
}

/** Level 0 is the finest. */
function blocksByLevel({ downBlocks, midBlock, upBlocks = [] }: Levelled): Module[][] {
  const last = downBlocks.length - 1;
  return downBlocks.map((block, level) => [
    block,
    ...(level === last ? [midBlock] : []),
    ...upBlocks.filter((_, i) => last - i === level),
  ]);
}
