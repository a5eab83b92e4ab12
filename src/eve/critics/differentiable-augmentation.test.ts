import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { gradients } from "../../engine/autodiff.ts";
import { ShapeError } from "../../engine/errors.ts";
import { Rng, normal } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { AugmentationConfig } from "./critic-config.ts";
import { augment, drawAugmentation } from "./differentiable-augmentation.ts";

const nothing = AugmentationConfig.parse({ colour: 0, translation: 0, cutout: 0 });
const all = AugmentationConfig.parse({ colour: 1, translation: 0.25, cutout: 0.5 });
/** Two clips of three frames. */
const pixels = normal(Rng.seed(1), [6, 3, 16, 24]).mul(0.4);

describe("augment", () => {
  test("is the identity at zero strength, bit for bit", () => {
    const changed = augment(pixels, drawAugmentation(Rng.seed(2), 2, nothing));
    expect(largestDifference(changed, pixels)).toBe(0);
  });

  test("depends on its rng alone", () => {
    const once = augment(pixels, drawAugmentation(Rng.seed(2), 2, all));
    const again = augment(pixels, drawAugmentation(Rng.seed(2), 2, all));
    const other = augment(pixels, drawAugmentation(Rng.seed(3), 2, all));
    expect(largestDifference(once, again)).toBe(0);
    expect(largestDifference(once, other)).toBeGreaterThan(0.1);
  });

  test("treats the frames of a clip alike, and clips differently", () => {
    const picture = pixels.narrow(0, 0, 1);
    const same = picture.expand([6, 3, 16, 24]);
    const changed = augment(same, drawAugmentation(Rng.seed(2), 2, all));
    expect(largestDifference(changed.select(0, 0), changed.select(0, 2))).toBe(0);
    expect(largestDifference(changed.select(0, 0), changed.select(0, 3))).toBeGreaterThan(0.1);
  });

  test("draws the same for a clip, however many are drawn", () => {
    const two = augment(pixels.narrow(0, 0, 2), drawAugmentation(Rng.seed(2), 2, all));
    const one = augment(pixels.narrow(0, 0, 1), drawAugmentation(Rng.seed(2), 1, all));
    expect(largestDifference(one, two.narrow(0, 0, 1))).toBeLessThan(1e-6);
  });

  test("draws evenly within its strengths, each part by itself", () => {
    const clips = 4000;
    const strengths = { colour: 0.8, translation: 0.2, cutout: 0.3 };
    const { brightness, saturation, contrast, shifts, centres } = drawAugmentation(
      Rng.seed(5),
      clips,
      strengths,
    );
    const axis = (pairs: typeof shifts, at: 0 | 1): number[] => pairs.map((pair) => pair[at]);
    // All parts as places from −1 to 1 of their ranges
    const parts = [
      brightness.map((value) => value / 0.4),
      saturation.map((value) => (value - 1) / 0.8),
      contrast.map((value) => (value - 1) / 0.4),
      axis(shifts, 0).map((value) => value / 0.2),
      axis(shifts, 1).map((value) => value / 0.2),
      axis(centres, 0).map((value) => 2 * value - 1),
      axis(centres, 1).map((value) => 2 * value - 1),
    ];
    parts.forEach((part, index) => {
      expect(Math.max(...part.map(Math.abs)), `part ${index}`).toBeLessThanOrEqual(1);
      expect([Math.min(...part) < -0.99, Math.max(...part) > 0.99]).toEqual([true, true]);
      for (const other of parts.slice(index + 1)) {
        const sum = part.reduce((total, value, clip) => total + value * other[clip]!, 0);
        // Five standard errors of products with variance 1/9
        expect(Math.abs(sum / clips), `part ${index}`).toBeLessThan(5 / 3 / Math.sqrt(clips));
      }
    });
  });

  test("moves by whole pixels and brings in grey", () => {
    const moved = augment(pixels, {
      ...drawAugmentation(Rng.seed(2), 2, nothing),
      config: { ...nothing, translation: 0.25 },
      shifts: [
        [2 / 16, -3 / 24],
        [0, 0],
      ],
    });
    const inside = moved.narrow(0, 0, 3).narrow(2, 2, 14).narrow(3, 0, 21);
    const origin = pixels.narrow(0, 0, 3).narrow(2, 0, 14).narrow(3, 3, 21);
    expect(largestDifference(inside, origin)).toBe(0);
    expect(moved.narrow(0, 0, 3).narrow(2, 0, 2).abs().max().item()).toBe(0);
    expect(moved.narrow(0, 0, 3).narrow(3, 21, 3).abs().max().item()).toBe(0);
    expect(largestDifference(moved.narrow(0, 3, 3), pixels.narrow(0, 3, 3))).toBe(0);
  });

  test("moves by the nearest whole number of pixels", () => {
    const draw = drawAugmentation(Rng.seed(2), 2, nothing);
    const config = { ...nothing, translation: 0.25 };
    const moved = (down: number, right: number): Tensor =>
      augment(pixels, {
        ...draw,
        config,
        shifts: [
          [down / 16, right / 24],
          [0, 0],
        ],
      });
    expect(largestDifference(moved(1.6, -3.4), moved(2, -3))).toBe(0);
    expect(largestDifference(moved(1.5, -4.5), moved(2, -4))).toBe(0);
  });

  test("cuts a grey rectangle out of its place", () => {
    const draw = drawAugmentation(Rng.seed(2), 1, { ...nothing, cutout: 0.5 });
    const holes = augment(Tensor.ones([1, 3, 16, 24]), { ...draw, centres: [[0.25, 0.75]] });
    expect(holes.narrow(2, 0, 8).narrow(3, 12, 12).abs().max().item()).toBe(0);
    expect(holes.sum().item()).toBe(3 * (16 * 24 - 8 * 12));
  });

  test("recolours as its factors say", () => {
    const draw = drawAugmentation(Rng.seed(2), 1, { ...nothing, colour: 1 });
    const red = Tensor.from([0.6, 0, 0], [1, 3, 1, 1]);
    const factors = { ...draw, brightness: [0.1], saturation: [0.5], contrast: [1] };
    // grey of the lit (0.7, 0.1, 0.1) is 0.3; half the saturation brings all half-way to it
    expect(
      largestDifference(augment(red, factors), Tensor.from([0.5, 0.2, 0.2], [1, 3, 1, 1])),
    ).toBeLessThan(1e-6);
    const flat = augment(red, { ...factors, saturation: [1], contrast: [0] });
    expect(largestDifference(flat, Tensor.full([1, 3, 1, 1], 0.3))).toBeLessThan(1e-6);
  });

  test("takes a pixel's grey for its saturation, and a frame's mean for its contrast", () => {
    const draw = drawAugmentation(Rng.seed(2), 1, { ...nothing, colour: 1 });
    const plain = { ...draw, brightness: [0], saturation: [1], contrast: [1] };
    // two frames of two pixels: red and black, then all black
    const frames = Tensor.from([0.6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [2, 3, 1, 2]);
    const grey = Tensor.from([0.2, 0, 0.2, 0, 0.2, 0, 0, 0, 0, 0, 0, 0], [2, 3, 1, 2]);
    expect(largestDifference(augment(frames, { ...plain, saturation: [0] }), grey)).toBeLessThan(
      1e-6,
    );
    const flat = Tensor.from([...Array<number>(6).fill(0.1), 0, 0, 0, 0, 0, 0], [2, 3, 1, 2]);
    expect(largestDifference(augment(frames, { ...plain, contrast: [0] }), flat)).toBeLessThan(
      1e-6,
    );
  });

  test("has the gradient finite differences say it has", () => {
    using _ = tensorScope();
    const draw = drawAugmentation(Rng.seed(2), 2, all);
    const value = (x: Tensor): Tensor => augment(x, draw).square().sum();
    const direction = normal(Rng.seed(4), pixels.shape);
    const leaf = pixels.clone().setRequiresGrad(true);
    const slope = gradients(value(leaf), [leaf])[0]!.mul(direction).sum().item();
    const step = 1e-2;
    const ahead = value(pixels.addScaled(direction, step)).item();
    const behind = value(pixels.addScaled(direction, -step)).item();
    // the value is quadratic in the pixels: central differences are exact up to float32 sums
    expect(Math.abs((ahead - behind) / (2 * step) - slope)).toBeLessThan(
      1e-2 * Math.abs(slope) + 0.1,
    );
  });

  test("refuses frames that are no whole clips", () => {
    expect(() => augment(pixels.narrow(0, 0, 5), drawAugmentation(Rng.seed(2), 2, all))).toThrow(
      new ShapeError("expected a multiple of the 2 clips that were drawn for, got 5 frames"),
    );
  });
});
