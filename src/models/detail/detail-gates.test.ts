import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { ShapeError } from "../../engine/errors.ts";
import { normal, Rng } from "../../engine/random.ts";
import { Tensor, type Pixels } from "../../engine/tensor.ts";
import { DetailGatesConfig } from "./config.ts";
import { DetailGates, type EditedPixels } from "./detail-gates.ts";

const CONFIG = DetailGatesConfig.parse({ channels: [6, 8] });

function pictures(side = 16): EditedPixels {
  const draw = (name: string): Pixels<"b 3 h w"> =>
    normal(Rng.seed(3).split(name), [2, 3, side, side]).mul(0.4).clamp(-1, 1);
  return { source: draw("source"), reconstruction: draw("carried"), edited: draw("edited") };
}

/** Gates that are the same everywhere, whatever they see. */
function constant(lost: number, changed: number): DetailGates {
  const gates = new DetailGates(Rng.seed(1), CONFIG);
  const { weight, bias } = gates.convOut;
  weight.detach().copyFrom(Tensor.zeros(weight.shape));
  const ofPatch = [lost, changed].flatMap((logit) => [logit, logit, logit, logit]);
  bias!.detach().copyFrom(Tensor.from(ofPatch, bias!.shape));
  return gates;
}

const OPEN = 60;
const SHUT = -60;

describe("with both gates", () => {
  const seen = pictures();
  const { source, reconstruction, edited } = seen;

  test.each([
    ["open, the source stands", constant(OPEN, OPEN), source],
    ["shut, the edit stands as it was drawn", constant(SHUT, SHUT), edited],
  ])("%s", (_, gates, wanted) => {
    expect(largestDifference(gates.forward(seen), wanted)).toBeLessThan(1e-6);
  });

  test("apart, one gives back what the autoencoder lost and the other takes the change away", () => {
    const detailed = edited.add(source).sub(reconstruction);
    expect(largestDifference(constant(OPEN, SHUT).forward(seen), detailed)).toBeLessThan(1e-6);
    expect(largestDifference(constant(SHUT, OPEN).forward(seen), reconstruction)).toBeLessThan(
      1e-6,
    );
  });
});

test("gates lie within 0 and 1, one for each pixel, and differ where pictures do", () => {
  const gates = new DetailGates(Rng.seed(2), CONFIG);
  for (const gate of Object.values(gates.gates(pictures()))) {
    expect(gate.shape).toEqual([2, 1, 16, 16]);
    const values = gate.toFloat32Array();
    expect(Math.min(...values)).toBeGreaterThan(0);
    expect(Math.max(...values)).toBeLessThan(1);
    expect(new Set(values).size).toBeGreaterThan(400);
  }
});

test("a pixel's gates depend on what is around it, on either scale, and on nothing far away", () => {
  const gates = new DetailGates(Rng.seed(2), CONFIG);
  const seen = pictures(64);
  const other = seen.edited.clone();
  other
    .narrow(2, 32, 1)
    .narrow(3, 32, 1)
    .copyFrom(Tensor.ones([2, 3, 1, 1]));
  const [before, after] = [seen, { ...seen, edited: other }].map((of) => gates.gates(of).changed);
  const difference = after!.sub(before!).abs().toFloat32Array();
  const at = (row: number, column: number): number => difference[row * 64 + column]!;
  expect(at(32, 32)).toBeGreaterThan(0);
  expect(at(32, 42)).toBeGreaterThan(0);
  expect(at(2, 2)).toBe(0);
});

test("pictures of sides that do not halve are refused", () => {
  const gates = new DetailGates(Rng.seed(1), CONFIG);
  expect(() => gates.forward(pictures(18))).toThrow(
    new ShapeError("expected sides divisible by 4, got 18 and 18"),
  );
});
