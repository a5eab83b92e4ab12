import { expect, test } from "vitest";
import { Rng, normal } from "../../engine/random.ts";
import { Tensor } from "../../engine/tensor.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import { VisionSettings } from "./vision-settings.ts";
import { drawViews } from "./vision-views.ts";

const settings = VisionSettings.parse({ size: 16, localSize: 8, locals: 3 });
const pixels = normal(Rng.seed(1), [4, 3, 16, 16]).mul(0.3).clamp(-1, 1);
const rngs = [1, 2, 3, 4].map((number) => Rng.seed(5).split(number));

test("drawViews gives two large views and as many small ones as asked, all in [-1, 1]", () => {
  const { globals, locals } = drawViews(pixels, rngs, settings);
  expect(globals.map(({ shape }) => shape)).toEqual([
    [4, 3, 16, 16],
    [4, 3, 16, 16],
  ]);
  expect(locals.map(({ shape }) => shape)).toEqual(Array.from({ length: 3 }, () => [4, 3, 8, 8]));
  for (const view of [...globals, ...locals])
    expect(view.abs().max().item()).toBeLessThanOrEqual(1);
  expect(largestDifference(globals[0]!, globals[1]!)).toBeGreaterThan(0.1);
});

test("drawViews shows a picture the same, whatever else is in the batch", () => {
  const { globals, locals } = drawViews(pixels, rngs, settings);
  const alone = drawViews(pixels.narrow(0, 2, 1), [rngs[2]!], settings);
  expect(largestDifference(alone.globals[1]!, globals[1]!.narrow(0, 2, 1))).toBeLessThan(1e-6);
  expect(largestDifference(alone.locals[2]!, locals[2]!.narrow(0, 2, 1))).toBeLessThan(1e-6);
});

test("drawViews keeps a flat picture's colour where it recolours nothing, and changes it where it does", () => {
  const flat = pixels.mean([2, 3], { keepDim: true }).expand([4, 3, 16, 16]);
  const plain = drawViews(flat, rngs, { ...settings, colour: 0 });
  expect(largestDifference(plain.globals[0]!, flat)).toBeLessThan(1e-6);
  const coloured = drawViews(flat, rngs, settings);
  expect(largestDifference(coloured.globals[0]!, flat)).toBeGreaterThan(0.01);
});

test("drawViews magnifies: the smaller the area, the slower a ramp rises", () => {
  const ramp = Tensor.arange(16, "float32").div(16).expand([4, 3, 16, 16]);
  const riseOf = (share: number): number => {
    const one = { ...settings, colour: 0, globalArea: [share, share] as [number, number] };
    const [view] = drawViews(ramp, rngs, one).globals;
    const middle = view!.narrow(3, 7, 1).sub(view!.narrow(3, 8, 1));
    return middle.abs().mean().item();
  };
  // a quarter of the area is half of the side
  expect(riseOf(0.25) / riseOf(0.0625)).toBeCloseTo(2, 2);
});
