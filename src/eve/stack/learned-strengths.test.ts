import { describe, expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { networks, point, rng, xt } from "../../../test/support/small-stack.ts";
import type { Denoiser } from "../../diffusion/denoiser.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { plainLayer } from "../../nn/lora.ts";
import { EditStrengths } from "../adapters/edit-strength.ts";
import type { Strengths } from "../adapters/strengths.ts";
import type { VideoStrength, VideoStrengths } from "../adapters/video-strength.ts";
import { AlignmentConfig } from "./alignment-config.ts";
import { strengthKind } from "./alignment-weights.ts";
import { alignedStudent, createAlignment, learnedStrengths, type Student } from "./student.ts";
import {
  adaptedDenoiser,
  stacked,
  stackedNetwork,
  type Networks,
  type StackedCondition,
  type StackOptions,
} from "./teachers.ts";

describe("strengths that are learned", () => {
  const hearing = (
    of: Networks,
    strength: number,
  ): Student & { readonly strengths: VideoStrengths } => {
    const lora = createAlignment(rng, of.unet, AlignmentConfig.parse({ rank: 2 }));
    const strengths = learnedStrengths(of, strength);
    strengths.setTrainable(true);
    return { ...alignedStudent(of, lora, { videoStrength: strengths }), strengths };
  };

  const inFloat32 = (of: Networks, options: StackOptions): Denoiser<StackedCondition> =>
    adaptedDenoiser(of, stackedNetwork(of, plainLayer, options));

  test("leave the student the stack bit for bit where they start at one", () => {
    const own = networks();
    const { x0 } = hearing(own, 1).denoiser.predict(xt, 400, point);
    expect(largestDifference(x0, stacked(own).predict(xt, 400, point).x0)).toBe(0);
  });

  test("all alike are one strength for all", () => {
    const own = networks();
    const heard = (videoStrength: VideoStrength): Float<"b c h w"> =>
      noGrad(() => inFloat32(own, { videoStrength }).predict(xt, 400, point)).x0;
    expect(largestDifference(heard(learnedStrengths(own, 0.25)), heard(0.25))).toBeLessThan(1e-5);
  });

  test("stand among what is trained, one for each place of the video adapter", () => {
    const own = networks();
    const { trainable, strengths } = hearing(own, 0.5);
    const places = own.videoAdapter!.places(own.unet);
    expect(places).toContain("convIn");
    expect(new Set(places).size).toBe(places.length);
    expect(strengths.values()).toEqual(Object.fromEntries(places.map((place) => [place, 0.5])));
    expect([...trainable.keys()].filter(strengthKind)).toEqual(
      places.map((place) => `videoStrength.${place}.value`),
    );
  });

  test("of the edit adapter, at one, leave the stack as it is, bit for bit", () => {
    const own = networks();
    const heard = (editStrength: EditStrengths | null): Float<"b c h w"> =>
      noGrad(() => inFloat32(own, { editStrength }).predict(xt, 400, point)).x0;
    const alike = (strength: number): EditStrengths =>
      EditStrengths.alike(own.editAdapter, strength);
    expect(largestDifference(heard(alike(1)), heard(null))).toBe(0);
    expect(largestDifference(heard(alike(0.5)), heard(null))).toBeGreaterThan(1e-3);
  });

  test.each<[string, (of: Networks) => { strengths: Strengths; options: StackOptions }]>([
    [
      "video",
      (of) => {
        const strengths = learnedStrengths(of, 0.6);
        return { strengths, options: { videoStrength: strengths } };
      },
    ],
    [
      "edit",
      (of) => {
        const strengths = EditStrengths.alike(of.editAdapter, 0.6);
        return { strengths, options: { editStrength: strengths } };
      },
    ],
  ])("of the %s adapter are differentiated by as the loss changes with them", (_name, of) => {
    using _ = tensorScope();
    const own = networks();
    const { strengths, options } = of(own);
    strengths.setTrainable(true);
    const denoiser = inFloat32(own, options);
    const loss = (): Float<""> => denoiser.predict(xt, 400, point).x0.square().mean();
    loss().backward();
    for (const [place, { value }] of strengths.entries()) {
      const lossAt = (strength: number): number => {
        value.detach().copyFrom(Tensor.scalar(strength));
        return noGrad(loss).item();
      };
      const [step, slope] = [0.02, value.grad!.item()];
      const found = (lossAt(0.6 + step) - lossAt(0.6 - step)) / (2 * step);
      lossAt(0.6);
      // float32 losses near one, of slopes down to 1e-3
      expect(Math.abs(found - slope), place).toBeLessThan(5e-5 + 0.01 * Math.abs(slope));
    }
  });

  test("need a video adapter to hear", () => {
    expect(() => learnedStrengths({ ...networks(), videoAdapter: null }, 1)).toThrow(
      "expected a video adapter whose strengths can be learned, got none",
    );
  });
});
