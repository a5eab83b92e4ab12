import { expect, test } from "vitest";
import { Rng, normal } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { noiseBatch, spreadTimes, velocityLoss } from "./velocity.ts";

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

test("the true velocity has no loss, and gives back the clean batch", () => {
  using _ = tensorScope();
  const x0 = normal(rng.split("x0"), [4, 3]);
  const noised = noiseBatch(x0, schedule, rng);
  expect(velocityLoss(noised.target, noised).item()).toBe(0);
  const { alpha, sigma } = schedule.coefficients(noised.labels.to("int64"), x0);
  const restored = noised.xt.mul(alpha).sub(noised.target.mul(sigma));
  expect(restored.sub(x0).abs().max().item()).toBeLessThan(1e-6);
});
