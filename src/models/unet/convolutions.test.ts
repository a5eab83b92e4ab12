import { expect, test } from "vitest";
import { Rng } from "../../engine/random.ts";
import { unallocated } from "../../nn/init.ts";
import { ControlNet } from "../controlnet/controlnet.ts";
import { resolveUNetConfig } from "./config.ts";
import { convolutionsFinestFirst } from "./convolutions.ts";
import { UNet } from "./unet.ts";

const config = resolveUNetConfig({});

test("gives the convolutions of all levels once, finest first, network by network", () => {
  const { unet, controlNet } = {
    unet: unallocated(() => new UNet(Rng.seed(0), config)),
    controlNet: unallocated(
      () => new ControlNet(Rng.seed(0), config, { type: "rgb", channels: [16, 32, 96, 256] }),
    ),
  };
  const found = convolutionsFinestFirst([unet, controlNet]);
  expect(new Set(found).size).toBe(found.length);
  const placeOf = (layer: unknown): number => found.indexOf(layer as (typeof found)[number]);
  const places = [
    unet.downBlocks[0]!.resnets[0]!.conv1,
    unet.upBlocks[3]!.resnets[0]!.conv1,
    controlNet.downBlocks[0]!.resnets[0]!.conv1,
    unet.downBlocks[1]!.resnets[0]!.conv1,
    unet.upBlocks[2]!.resnets[2]!.conv2,
    controlNet.downBlocks[1]!.resnets[1]!.conv2,
    unet.downBlocks[3]!.resnets[0]!.conv1,
    unet.midBlock.resnets[1].conv2,
    unet.upBlocks[0]!.resnets[0]!.conv1,
    controlNet.midBlock.resnets[0].conv1,
  ].map(placeOf);
  expect(places[0]).toBe(0);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});

test("of nothing, gives nothing", () => {
  expect(convolutionsFinestFirst([])).toEqual([]);
});
