import { describe, expect, test } from "vitest";
import { largestDifference } from "../../test/support/difference.ts";
import { normal, Rng } from "../engine/random.ts";
import type { Tensor } from "../engine/tensor.ts";
import { networkDenoiser } from "./denoiser.ts";
import { guided, guidedAbove, guidedTwice } from "./guidance.ts";
import { createSchedule } from "./schedule.ts";

interface Condition {
  readonly image: number;
  readonly text: number;
}
const schedule = createSchedule({ zeroTerminalSnr: true });
const xt = normal(Rng.seed(3), [2, 4, 4]).to("float64");
const full: Condition = { image: 2, text: 3 };
const withoutText = (condition: Condition): Condition => ({ ...condition, text: 0 });
const unconditional = (): Condition => ({ image: 0, text: 0 });

/** A denoiser whose v depends on the condition, and the conditions it was asked for. */
function recorder() {
  const asked: Condition[] = [];
  const network = (x: Tensor, _: Tensor, condition: Condition): Tensor => {
    asked.push(condition);
    return x.mul(0.1 + condition.image).add(condition.text ** 2);
  };
  return { asked, denoiser: networkDenoiser({ schedule, kind: "v", network }) };
}

const x0Of = (condition: Condition, t: number): Tensor =>
  recorder().denoiser.predict(xt, t, condition).x0;

describe("guidance by one scale", () => {
  test("is X(0) + w·(X(p) − X(0))", () => {
    const found = guided(recorder().denoiser, { scale: 7.5, unconditional }).predict(xt, 500, full);
    const none = x0Of(unconditional(), 500);
    const wanted = none.add(x0Of(full, 500).sub(none).mul(7.5));
    expect(largestDifference(found.x0, wanted)).toBeLessThan(1e-12);
  });

  test("means the same in ε and x0: both halves still make xt", () => {
    for (const t of [0, 500, 999]) {
      const { x0, noise } = guided(recorder().denoiser, { scale: 4, unconditional }).predict(
        xt,
        t,
        full,
      );
      expect(largestDifference(schedule.addNoise(x0, noise, t), xt)).toBeLessThan(1e-12);
    }
  });

  test("never asks for the unconditional branch at scale 1, nor for the other at scale 0", () => {
    const one = recorder();
    guided(one.denoiser, { scale: 1, unconditional }).predict(xt, 10, full);
    expect(one.asked).toEqual([full]);
    const zero = recorder();
    guided(zero.denoiser, { scale: 0, unconditional }).predict(xt, 10, full);
    expect(zero.asked).toEqual([unconditional()]);
  });
});

describe("guidance by two scales", () => {
  test("is X(0,0) + s_I·(X(I,0) − X(0,0)) + s_T·(X(I,T) − X(I,0))", () => {
    const scales = { imageScale: 1.5, textScale: 5 };
    const found = guidedTwice(recorder().denoiser, {
      ...scales,
      withoutText,
      unconditional,
    }).predict(xt, 300, full);
    const none = x0Of(unconditional(), 300);
    const image = x0Of(withoutText(full), 300);
    const towardsImage = image.sub(none).mul(1.5);
    const towardsText = x0Of(full, 300).sub(image).mul(5);
    expect(largestDifference(found.x0, none.add(towardsImage).add(towardsText))).toBeLessThan(
      1e-12,
    );
  });

  test("with equal scales is guidance by one scale, and does not ask for (I, 0)", () => {
    const twice = recorder();
    const found = guidedTwice(twice.denoiser, {
      imageScale: 3,
      textScale: 3,
      withoutText,
      unconditional,
    });
    const once = guided(recorder().denoiser, { scale: 3, unconditional });
    expect(
      largestDifference(found.predict(xt, 9, full).x0, once.predict(xt, 9, full).x0),
    ).toBeLessThan(1e-12);
    expect(twice.asked).toEqual([full, unconditional()]);
  });

  test("with both scales 1 is the plain denoiser", () => {
    const { denoiser, asked } = recorder();
    guidedTwice(denoiser, { imageScale: 1, textScale: 1, withoutText, unconditional }).predict(
      xt,
      9,
      full,
    );
    expect(asked).toEqual([full]);
  });
});

describe("guidance above a time", () => {
  const at = (above: number | undefined, t: number) => {
    const { denoiser, asked } = recorder();
    const by = guided(denoiser, { scale: 2, unconditional });
    const found = guidedAbove(above, { guided: by, plain: denoiser }).predict(xt, t, full);
    return { x0: found.x0, asked };
  };
  const whole = (t: number): Tensor =>
    guided(recorder().denoiser, { scale: 2, unconditional }).predict(xt, t, full).x0;

  test("is the plain prediction at that time and below, and asks for nothing else", () => {
    for (const t of [0, 300]) {
      const { x0, asked } = at(300, t);
      expect(largestDifference(x0, x0Of(full, t))).toBe(0);
      expect(asked).toEqual([full]);
    }
    expect(largestDifference(at(300, 301).x0, whole(301))).toBe(0);
  });

  test("acts always where there is no such time", () => {
    expect(largestDifference(at(undefined, 0).x0, whole(0))).toBe(0);
  });
});
