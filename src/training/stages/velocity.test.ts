import { describe, expect, test } from "vitest";
import { Rng, normal } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { noiseBatch, placeWeights, spreadTimes, velocityLoss } from "./velocity.ts";

const rng = Rng.seed(3);
const schedule = createSchedule({ zeroTerminalSnr: true });

test("every bin of the schedule gives one time", () => {
  const times = spreadTimes(rng, 10, 1000);
  expect(times.map((t) => Math.floor(t / 100))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("a bias of two shows three late times for every early one", () => {
  const times = spreadTimes(rng, 4000, 1000, 2);
  expect(times.filter((t) => t >= 500)).toHaveLength(3000);
});

test("the frames of a clip share their time, and clips do not", () => {
  using _ = tensorScope();
  const { labels } = noiseBatch(Tensor.zeros([6, 2]), schedule, rng, { group: 3 });
  const [a, b, c, d, e, f] = labels.toFloat32Array();
  expect([b, c]).toEqual([a, a]);
  expect([e, f]).toEqual([d, d]);
  expect(d).not.toBe(a);
});

test("a share of the clips has one noise for all frames", () => {
  using _ = tensorScope();
  const clips = Tensor.zeros([60, 4]);
  const alike = (sharedNoise: number): number => {
    const noised = noiseBatch(clips, schedule, rng, { group: 3, sharedNoise });
    const frames = noised.xt.reshape([20, 3, 4]);
    const differences = frames
      .sub(frames.narrow(1, 0, 1))
      .abs()
      .sum([1, 2]);
    return [...differences.toFloat32Array()].filter((difference) => difference === 0).length;
  };
  expect(alike(0)).toBe(0);
  expect(alike(0.5)).toBeGreaterThan(3);
  expect(alike(0.5)).toBeLessThan(17);
  expect(alike(1)).toBe(20);
});

test("the true velocity has no loss, and gives back the clean batch", () => {
  using _ = tensorScope();
  const x0 = normal(rng.split("x0"), [4, 3]);
  const noised = noiseBatch(x0, schedule, rng);
  expect(velocityLoss(noised.target, noised).item()).toBe(0);
  const { alpha, sigma } = schedule.coefficients(noised.labels.to("int64"), x0);
  const restored = noised.xt.mul(alpha).sub(noised.target.mul(sigma));
  expect(restored.sub(x0).abs().max().item()).toBeLessThan(1e-6);
});

describe("placeWeights", () => {
  const input = Tensor.zeros([2, 2, 1, 4]);
  const uncapped = { largestShare: 8 };
  // the first picture changes in one place of four, the second nowhere
  const edited = Tensor.from([3, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [2, 2, 1, 4]);

  test("have a mean of one, and count a changed place 1 + weight·(its share) times", () => {
    const weights = [
      ...placeWeights(edited, input, {
        changeWeight: 1,
        keptWeight: 0,
        ...uncapped,
      }).toFloat32Array(),
    ];
    // shares 4, 0, 0, 0: raw weights 5, 1, 1, 1 of mean 2
    [2.5, 0.5, 0.5, 0.5, 1, 1, 1, 1].forEach((value, i) =>
      expect(weights[i]).toBeCloseTo(value, 4),
    );
  });

  test("count a kept place 1 + weight·(its share) times", () => {
    // changed everywhere but in the last place: shares 0, 0, 0, 4
    const changed = Tensor.from([3, 3, 3, 0, 3, 3, 3, 0], [1, 2, 1, 4]);
    const none = Tensor.zeros([1, 2, 1, 4]);
    const weights = placeWeights(changed, none, { changeWeight: 0, keptWeight: 1, ...uncapped });
    [0.5, 0.5, 0.5, 2.5].forEach((value, i) =>
      expect(weights.toFloat32Array()[i]).toBeCloseTo(value, 4),
    );
  });

  test("count a place no more than the largest share", () => {
    // shares of 4, cut to 2: raw weights 3, 1, 1, 1 of mean 1.5
    const weights = placeWeights(edited, input, {
      changeWeight: 1,
      keptWeight: 0,
      largestShare: 2,
    });
    [2, 2 / 3, 2 / 3, 2 / 3].forEach((value, i) =>
      expect(weights.toFloat32Array()[i]).toBeCloseTo(value, 4),
    );
  });

  test.each([
    [8, 0.16],
    [24, 0.34],
  ])(
    "give 11 of 256 places that change, at a largest share of %d, %d of all weight",
    (most, share) => {
      const bowTie = Tensor.from(
        Array.from({ length: 256 }, (_, place) => (place < 11 ? 9 : 0)),
        [1, 1, 16, 16],
      );
      const weights = placeWeights(bowTie, Tensor.zeros([1, 1, 16, 16]), {
        changeWeight: 2,
        keptWeight: 3,
        largestShare: most,
      });
      const changed = weights.toFloat32Array().slice(0, 11);
      expect(changed.reduce((sum, weight) => sum + weight, 0) / 256).toBeCloseTo(share, 2);
    },
  );

  test("leave the loss as it is where all places count alike", () => {
    const batch = { xt: edited, labels: Tensor.zeros([2]), target: edited };
    const output = edited.mul(2);
    const plain = velocityLoss(output, batch).item();
    const weights = placeWeights(edited, input, { changeWeight: 0, keptWeight: 0, ...uncapped });
    expect(velocityLoss(output, batch, weights).item()).toBeCloseTo(plain, 6);
  });
});
