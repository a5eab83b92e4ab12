import { describe, expect, test } from "vitest";
import {
  BF16_BATCHES,
  largestDifference,
  relativeError,
} from "../../../test/support/difference.ts";
import { disturbed, smallNetworks } from "../../../test/support/small-model.ts";
import { CLIPS, networks, point, rng, xt } from "../../../test/support/small-stack.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { differentiate } from "../../engine/checkpoint.ts";
import { setDefaultDevice } from "../../engine/device.ts";
import { normal } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { engineInfo } from "../../engine/settings.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { AlignmentConfig } from "./alignment-config.ts";
import { alignmentParameters } from "./alignment-weights.ts";
import {
  alignedStudent,
  createAlignment,
  frozenStudent,
  learnedStrengths,
  unpretrainedStudent,
  type Student,
} from "./student.ts";
import {
  editTeacher,
  adaptedDenoiser,
  stacked,
  stackedCondition,
  stackedNetwork,
  type Networks,
} from "./teachers.ts";

function aligned(of: Networks, config: Partial<AlignmentConfig> = {}): Student {
  const lora = createAlignment(
    rng.split("lora"),
    of.unet,
    AlignmentConfig.parse({ rank: 2, ...config }),
  );
  lora.setTrainable(true);
  return alignedStudent(of, lora);
}

/** A loss with a gradient almost everywhere: how far the answer is from nothing. */
function lossOf({ denoiser }: Student): Float<""> {
  return denoiser.predict(xt, 400, point).x0.square().mean();
}

/** One step of plain gradient descent, enough to see what moves. */
function descend({ trainable }: Student, rate: number): void {
  using _ = tensorScope();
  for (const weight of trainable.values()) {
    const { grad } = weight;
    if (grad) weight.detach().copyFrom(weight.detach().addScaled(grad, -rate));
    weight.clearGrad();
  }
}

describe("the student", () => {
  test("equals the stack bit for bit before it has learned, whatever layers its LoRA stands on", () => {
    const own = networks();
    const wanted = stacked(own).predict(xt, 400, point);
    for (const layers of ["attention", "transformer", "linear", "all"] as const) {
      const { x0, noise } = aligned(own, { layers }).denoiser.predict(xt, 400, point);
      expect(largestDifference(x0, wanted.x0)).toBe(0);
      expect(largestDifference(noise, wanted.noise)).toBe(0);
    }
  });

  test("hears the video adapter as strongly as it is told: at 0 every frame is edited by itself", () => {
    const own = networks();
    const at = (videoStrength: number): Float<"b c h w"> => {
      const lora = createAlignment(rng, own.unet, AlignmentConfig.parse({ rank: 2 }));
      const { denoiser } = alignedStudent(own, lora, { videoStrength });
      return noGrad(() => denoiser.predict(xt, 400, point)).x0;
    };
    const alone = editTeacher(own).predict(xt, 400, point).x0;
    const together = stacked(own).predict(xt, 400, point).x0;
    expect(largestDifference(at(0), alone)).toBeLessThan(1e-5);
    expect(largestDifference(at(1), together)).toBe(0);
    const half = at(0.5);
    expect(largestDifference(half, alone)).toBeGreaterThan(1e-4);
    expect(largestDifference(half, together)).toBeGreaterThan(1e-4);
  });

  test("adapts the layers of the backbone that its config names", () => {
    const own = networks();
    const attention = [...aligned(own, { layers: "attention" }).trainable.keys()];
    const transformer = [...aligned(own).trainable.keys()];
    const linear = [...aligned(own, { layers: "linear" }).trainable.keys()];
    expect(attention.every((name) => /\.attn[12]\.to(Q|K|V|Out)\.(down|up)$/.test(name))).toBe(
      true,
    );
    expect(transformer.filter((name) => !attention.includes(name))).toEqual(
      transformer.filter((name) => name.includes(".ff.")),
    );
    const all = [...aligned(own, { layers: "all" }).trainable.keys()];
    const axes = (name: string): number =>
      own.weights.get(`unet.${name.replace(/\.(down|up)$/, ".weight")}`)!.shape.length;
    // matrices are linear layers' weights, tensors of four axes convolutions'
    const weights = [...own.weights].filter(([name]) => /^unet\..*\.weight$/.test(name));
    const pairs = (count: number): number =>
      2 * weights.filter(([, { shape }]) => shape.length === count).length;
    expect(linear).toHaveLength(pairs(2));
    expect(linear.every((name) => axes(name) === 2)).toBe(true);
    expect(all).toHaveLength(pairs(2) + pairs(4));
  });

  test("scales the LoRA's updates by one, or by alpha / rank where its config names an alpha", () => {
    const { unet } = networks();
    const scales = (alpha: number | null): number[] => {
      const config = AlignmentConfig.parse({ rank: 4, alpha });
      return [...createAlignment(rng, unet, config).entries()].map(([, { scale }]) => scale);
    };
    expect(new Set(scales(null))).toEqual(new Set([1]));
    expect(new Set(scales(2))).toEqual(new Set([0.5]));
  });

  test("gives its gradient to the LoRA alone, every pair of it, and to the noisy sample", () => {
    using _ = tensorScope();
    const own = networks();
    const student = aligned(own);
    const noisy = xt.clone().setRequiresGrad(true);
    student.denoiser.predict(noisy, 400, point).x0.square().mean().backward();
    // A fresh B is zero, so that A has no gradient yet
    for (const [name, weight] of student.trainable)
      expect([name, weight.grad!.abs().max().item() > 0]).toEqual([name, name.endsWith(".up")]);
    for (const weight of own.weights.values()) expect(weight.grad).toBeNull();
    expect(noisy.grad!.abs().max().item()).toBeGreaterThan(0);
  });

  test("in use answers the same, and records no graph", () => {
    const student = aligned(networks());
    const found = frozenStudent(student).predict(xt, 400, point);
    expect([found.x0.requiresGrad, found.noise.requiresGrad]).toEqual([false, false]);
    expect(largestDifference(found.x0, student.denoiser.predict(xt, 400, point).x0)).toBe(0);
  });

  test("learns by its LoRA while every frozen tensor stays as it was, bit for bit", () => {
    const own = networks();
    const student = aligned(own);
    const copies = new Map([...own.weights].map(([name, weight]) => [name, weight.clone()]));
    const first = noGrad(() => lossOf(student)).item();
    for (let step = 0; step < 4; step++) {
      using _ = tensorScope();
      lossOf(student).backward();
      descend(student, 40);
    }
    expect(noGrad(() => lossOf(student)).item()).toBeLessThan(first);
    for (const [name, weight] of own.weights)
      expect([name, largestDifference(weight, copies.get(name)!)]).toEqual([name, 0]);
  });

  test("holds no weight but the LoRA's: it is a view of the teachers' own tensors", () => {
    const own = networks();
    const lora = createAlignment(rng, own.unet, AlignmentConfig.parse({ rank: 2 }));
    const before = engineInfo().liveTensors;
    const student = alignedStudent(own, lora);
    expect(engineInfo().liveTensors).toBe(before);
    const handles = [...own.weights.values(), ...student.trainable.values()].map(
      ({ handle }) => handle,
    );
    expect(new Set(handles).size).toBe(handles.length);
    // one change of a frozen weight is seen by both
    const old = student.denoiser.predict(xt, 400, point).x0;
    own.unet.convOut.bias!.copyFrom(Tensor.full([4], 5));
    const now = student.denoiser.predict(xt, 400, point).x0;
    expect(largestDifference(now, old)).toBeGreaterThan(0.1);
    expect(largestDifference(now, stacked(own).predict(xt, 400, point).x0)).toBe(0);
  });

  test("edits clips of a batch as it edits each alone", () => {
    const own = networks();
    const student = aligned(own).denoiser;
    const both = student.predict(xt, 400, point).x0;
    const alone = stackedCondition(
      {
        caption: point.caption.narrow(0, 1, 1),
        instruction: point.instruction.narrow(0, 1, 1),
        tasks: point.tasks.narrow(0, 1, 1),
        input: point.input.narrow(0, 3, 3),
        firstFrame: point.firstFrame!.narrow(0, 1, 1),
      },
      point.withoutText().caption.narrow(0, 0, 1),
    );
    const second = student.predict(xt.narrow(0, 3, 3), 400, alone).x0;
    expect(relativeError(both.narrow(0, 3, 3), second)).toBeLessThan(BF16_BATCHES);
  });
});

describe("the student without pretrained adapters", () => {
  test("begins as the backbone: its adapters add nothing, and all of it can learn", () => {
    using _ = tensorScope();
    const own = networks();
    const student = unpretrainedStudent(rng, own);
    for (const weight of student.trainable.values()) weight.setRequiresGrad(true);
    lossOf(student).backward();
    const groups = ["backbone.", "editAdapter.", "videoAdapter."];
    for (const group of groups) {
      const moved = [...student.trainable].filter(
        ([name, weight]) => name.startsWith(group) && (weight.grad?.abs().max().item() ?? 0) > 0,
      );
      expect([group, moved.length > 0]).toEqual([group, true]);
    }
    const { unet, editAdapter, layers } = smallNetworks();
    const fresh = { ...own, unet, editAdapter, videoAdapter: layers };
    const wanted = stacked(fresh).predict(xt, 400, point).x0;
    expect(largestDifference(student.denoiser.predict(xt, 400, point).x0, wanted)).toBe(0);
  });

  test("shares no tensor with the teachers, whose weights it leaves alone", () => {
    const own = networks();
    const student = unpretrainedStudent(rng, own);
    const theirs = new Set([...own.weights.values()].map(({ handle }) => handle));
    expect([...student.trainable.values()].some(({ handle }) => theirs.has(handle))).toBe(false);
  });
});

describe("a condition", () => {
  test("without text keeps its pictures, and has the features of nothing for every clip", () => {
    const silent = point.withoutText();
    expect(silent.caption.shape).toEqual(point.caption.shape);
    const nothing = normal(rng.split("nothing"), [1, 5, 16]).expand([CLIPS, 5, 16]);
    for (const text of [silent.caption, silent.instruction])
      expect(largestDifference(text, nothing)).toBe(0);
    expect(silent.input).toBe(point.input);
    expect(silent.firstFrame).toBe(point.firstFrame);
  });

  test("without picture keeps its words", () => {
    const blind = point.withoutImage();
    expect(blind.caption).toBe(point.caption);
    expect(blind.firstFrame).toBeNull();
    expect(blind.input.abs().max().item()).toBe(0);
  });
});

describe("layers that are computed again", () => {
  test.each(["cpu", "cuda:0"])(
    "give LoRA and strengths the gradients of layers that are kept, where %s's backward passes run",
    (device) => {
      using _ = tensorScope();
      const of = networks();
      const config = AlignmentConfig.parse({ rank: 2, layers: "all" });
      const lora = disturbed(createAlignment(rng.split("lora"), of.unet, config));
      lora.setTrainable(true);
      const videoStrength = learnedStrengths(of, 0.5).setTrainable(true);
      const trainable = alignmentParameters(lora, { videoStrength });
      const gradients = (recompute: boolean): Map<string, Tensor> => {
        for (const weight of trainable.values()) weight.clearGrad();
        const network = stackedNetwork(of, lora.on(of.unet), { recompute, videoStrength });
        // only who may call whom is told by the default device here: tensors stay where they are
        setDefaultDevice(device);
        try {
          differentiate(() =>
            adaptedDenoiser(of, network).predict(xt, 400, point).x0.square().mean(),
          );
        } finally {
          setDefaultDevice("cpu");
        }
        return new Map([...trainable].map(([name, { grad }]) => [name, grad!.clone()]));
      };
      const kept = gradients(false);
      for (const [name, gradient] of gradients(true)) {
        const scale = kept.get(name)!.abs().max().item();
        // float32: sums over many uses are taken in another order
        expect(largestDifference(gradient, kept.get(name)!) / scale, name).toBeLessThan(1e-4);
      }
    },
  );
});
