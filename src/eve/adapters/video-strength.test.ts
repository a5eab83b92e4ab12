import { expect, test } from "vitest";
import { smallNetworks } from "../../../test/support/small-model.ts";
import { Rng } from "../../engine/random.ts";
import { Tensor } from "../../engine/tensor.ts";
import { Linear } from "../../nn/linear.ts";
import { BESIDE } from "./branches.ts";
import { VideoStrengths, weakened } from "./video-strength.ts";

const heard = new Linear(Rng.seed(1), 1, 1);
const deaf = new Linear(Rng.seed(2), 1, 1);
const parts = {
  temporal: { behind: (layer: object, h: Tensor) => (layer === heard ? h.mul(3) : h) },
  residuals: { down: [Tensor.scalar(4), Tensor.scalar(-2)], mid: Tensor.scalar(8) },
};
const h = Tensor.scalar(5);

test("as strong as it is, a video adapter is left alone", () => {
  expect(weakened(parts, 1)).toBe(parts);
});

test("at a quarter it adds a quarter of what it would, to states and beside them", () => {
  const { temporal, residuals } = weakened(parts, 0.25);
  expect(temporal!.behind(heard, h).item()).toBe(5 + (15 - 5) / 4);
  expect(residuals!.down.map((state) => state.item())).toEqual([1, -0.5]);
  expect(residuals!.mid.item()).toBe(2);
});

test("what it does not change stays the very state", () => {
  expect(weakened(parts, 0.25).temporal!.behind(deaf, h)).toBe(h);
});

test("a part that it lacks stays away", () => {
  expect(Object.keys(weakened({ temporal: parts.temporal }, 0.5))).toEqual(["temporal"]);
  expect(weakened({}, 0.5)).toEqual({});
});

const { unet } = smallNetworks();

test("with strengths of its own each place adds its own share", () => {
  const strengths = new VideoStrengths(unet, { convIn: 0.5, convOut: 2, [BESIDE]: -1 });
  const temporal = { behind: (_: object, state: Tensor) => state.mul(3) };
  const hooks = weakened({ ...parts, temporal }, strengths);
  expect(hooks.temporal!.behind(unet.convIn, h).item()).toBe(5 + (15 - 5) / 2);
  expect(hooks.temporal!.behind(unet.convOut, h).item()).toBe(5 + (15 - 5) * 2);
  expect(hooks.residuals!.down.map((state) => state.item())).toEqual([-4, 2]);
  expect(hooks.residuals!.mid.item()).toBe(-8);
});

test("strengths that know less than what is heard, or layers that are not there, are refused", () => {
  const strengths = new VideoStrengths(unet, { convIn: 1 });
  const temporal = { behind: (_: object, state: Tensor) => state.mul(3) };
  const hooks = weakened({ temporal }, strengths);
  expect(() => hooks.temporal!.behind(unet.convOut, h)).toThrow(/none for one of its layers$/);
  expect(() => weakened(parts, strengths)).toThrow(/none for beside$/);
  expect(() => new VideoStrengths(unet, { convNowhere: 1 })).toThrow(
    "expected strengths of a video adapter at layers of its backbone, which has no convNowhere",
  );
});
