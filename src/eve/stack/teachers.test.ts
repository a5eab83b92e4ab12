import { describe, expect, onTestFinished, test, vi } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { SMALL, disturbed, smallNetworks } from "../../../test/support/small-model.ts";
import { createSchedule, matchTime } from "../../diffusion/schedule.ts";
import { Rng, normal } from "../../engine/random.ts";
import { engineInfo } from "../../engine/settings.ts";
import { Tensor } from "../../engine/tensor.ts";
import { Lora } from "../../nn/lora.ts";
import type { EditAdapter } from "../adapters/edit-adapter.ts";
import {
  backboneDenoiser,
  editTeacher,
  noPicture,
  stacked,
  videoTeacher,
  type Networks,
  type StackedCondition,
} from "./teachers.ts";

const f = 3;
const xt = normal(Rng.seed(1), [f, 4, 8, 8]);
const condition: StackedCondition = {
  caption: normal(Rng.seed(2), [1, 5, 16]),
  instruction: normal(Rng.seed(3), [1, 5, 16]),
  tasks: Tensor.from([2], [1], "int64"),
  input: normal(Rng.seed(4), [f, 4, 8, 8]),
  firstFrame: normal(Rng.seed(5), [1, 4, 8, 8]),
  withoutText: () => condition,
  withoutImage: () => condition,
};

function networks({ isEditTrained = true, isVideoTrained = true } = {}): Networks & {
  readonly editAdapter: EditAdapter;
} {
  const { unet, editAdapter, layers } = smallNetworks();
  return {
    unet,
    editAdapter: isEditTrained ? disturbed(editAdapter) : editAdapter,
    videoAdapter: isVideoTrained ? disturbed(layers) : layers,
    schedule: createSchedule(SMALL.schedule),
    kind: "v",
  };
}

function drawn(
  make: (of: Networks) => ReturnType<typeof stacked> | ReturnType<typeof editTeacher>,
  of: Networks,
  given: StackedCondition = condition,
): Tensor {
  return make(of).predict(xt, 400, given).x0;
}

describe("the stack of both adapters", () => {
  test("with a fresh video adapter is the edit teacher, bit for bit", () => {
    const own = networks({ isVideoTrained: false });
    expect(largestDifference(drawn(stacked, own), drawn(editTeacher, own))).toBe(0);
    expect(
      largestDifference(drawn(editTeacher, own), drawn(backboneDenoiser, own)),
    ).toBeGreaterThan(1e-3);
  });

  test("with a fresh edit adapter is the video teacher, bit for bit", () => {
    const own = networks({ isEditTrained: false });
    expect(largestDifference(drawn(stacked, own), drawn(videoTeacher, own))).toBe(0);
    expect(
      largestDifference(drawn(videoTeacher, own), drawn(backboneDenoiser, own)),
    ).toBeGreaterThan(1e-3);
  });

  test("with both trained is none of the teachers", () => {
    const own = networks();
    for (const teacher of [editTeacher, videoTeacher])
      expect(largestDifference(drawn(stacked, own), drawn(teacher, own))).toBeGreaterThan(1e-3);
  });
});

describe("teachers and stack", () => {
  const all = [backboneDenoiser, editTeacher, videoTeacher, stacked];

  test("are views of one set of weights: they make no tensor, and see one change at once", () => {
    const own = networks();
    const before = engineInfo().liveTensors;
    const denoisers = all.map((make) => make(own));
    expect(engineInfo().liveTensors).toBe(before);
    const old = denoisers.map((denoiser) => denoiser.predict(xt, 400, condition).x0);
    own.unet.convOut.bias!.copyFrom(Tensor.full([4], 5));
    denoisers.forEach((denoiser, i) => {
      const now = denoiser.predict(xt, 400, condition).x0;
      expect(largestDifference(now, old[i]!)).toBeGreaterThan(0.1);
    });
  });

  test("hold every weight once: no adapter contains a tensor of the backbone or of the other", () => {
    const { unet, editAdapter, videoAdapter } = networks();
    const handles = [unet, editAdapter, videoAdapter!].flatMap((module) =>
      [...module.parameters().values()].map(({ handle }) => handle),
    );
    expect(new Set(handles).size).toBe(handles.length);
  });

  test("are constants: nothing they answer can be differentiated", () => {
    const own = networks();
    for (const module of [own.unet, own.editAdapter, own.videoAdapter!]) module.setTrainable(true);
    for (const make of all) {
      const { x0, noise } = make(own).predict(xt, 400, condition);
      expect(x0.requiresGrad || noise.requiresGrad).toBe(false);
    }
  });

  test("answer both halves of the same split of the noisy latent", () => {
    const own = networks();
    const { alpha, sigma } = own.schedule.coefficients(400, xt);
    for (const make of all) {
      const { x0, noise } = make(own).predict(xt, 400, condition);
      // float32
      expect(largestDifference(x0.mul(alpha).add(noise.mul(sigma)), xt)).toBeLessThan(1e-5);
    }
  });
});

describe("words", () => {
  /** What the backbone and the edit adapter were given to read. */
  function read(given: StackedCondition): { backbone: Tensor; adapter: Tensor } {
    const own = networks();
    const backbone = vi.spyOn(own.unet, "forward");
    const adapter = vi.spyOn(own.editAdapter.controlNet, "forward");
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    editTeacher(own).predict(xt, 400, given);
    return { backbone: backbone.mock.calls[0]![2], adapter: adapter.mock.calls[0]![2] };
  }

  test("of the output caption are read by the backbone and by nothing else", () => {
    const base = read(condition);
    const other = read({ ...condition, caption: condition.caption.mul(2) });
    expect(largestDifference(other.backbone, base.backbone)).toBeGreaterThan(0.1);
    expect(largestDifference(other.adapter, base.adapter)).toBe(0);
  });

  test("of the instruction are read by the edit adapter and by nothing else", () => {
    const base = read(condition);
    const other = read({ ...condition, instruction: condition.instruction.mul(2) });
    expect(largestDifference(other.adapter, base.adapter)).toBeGreaterThan(0.1);
    expect(largestDifference(other.backbone, base.backbone)).toBe(0);
  });

  test("of the task stand behind the instruction's", () => {
    const base = read(condition).adapter;
    const other = read({ ...condition, tasks: Tensor.from([3], [1], "int64") }).adapter;
    expect(base.shape).toEqual([1, 5 + 2, 16]);
    expect(largestDifference(other.narrow(1, 0, 5), base.narrow(1, 0, 5))).toBe(0);
    expect(largestDifference(other.narrow(1, 5, 2), base.narrow(1, 5, 2))).toBeGreaterThan(0.1);
  });
});

describe("the first frame", () => {
  test("leads the video teacher and the stack, and not the edit teacher", () => {
    const own = networks();
    const unled = { ...condition, firstFrame: null };
    for (const make of [videoTeacher, stacked])
      expect(largestDifference(drawn(make, own, unled), drawn(make, own))).toBeGreaterThan(1e-3);
    expect(largestDifference(drawn(editTeacher, own, unled), drawn(editTeacher, own))).toBe(0);
  });
});

describe("without a video adapter", () => {
  const whole = networks();
  const own = { ...whole, videoAdapter: null };

  test("video teacher and stack draw by the look that stands in its place, and no other does", () => {
    const look = disturbed(new Lora(Rng.seed(6), own.unet, { rank: 2 }));
    const moved = [videoTeacher, stacked, editTeacher, backboneDenoiser].map((make) =>
      largestDifference(drawn(make, { ...own, look }), drawn(make, own)),
    );
    expect(Math.min(moved[0]!, moved[1]!)).toBeGreaterThan(1e-3);
    expect(moved.slice(2)).toEqual([0, 0]);
  });

  test("the backbone is told noise by its own label, with one by the adapter's", () => {
    const imageSchedule = createSchedule({ kind: "linear" });
    const forward = vi.spyOn(whole.unet, "forward");
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    const label = (make: typeof stacked | typeof editTeacher, of: Networks): number => {
      drawn((given) => make(given), { ...of, imageSchedule });
      return forward.mock.lastCall![1].max().item();
    };
    const matched = matchTime(own.schedule, 400, imageSchedule);
    expect(Math.abs(matched - 400)).toBeGreaterThan(10);
    for (const make of [backboneDenoiser, editTeacher, videoTeacher, stacked])
      expect(label(make, own), make.name).toBeCloseTo(matched, 3); // labels are float32
    for (const make of [videoTeacher, stacked]) expect(label(make, whole), make.name).toBe(400);
    for (const make of [backboneDenoiser, editTeacher])
      expect(label(make, whole), make.name).toBeCloseTo(matched, 3);
  });
});

test("noPicture is zeros in the place of a latent", () => {
  const nothing = noPicture(condition.input);
  expect(nothing.shape).toEqual([f, 4, 8, 8]);
  expect(nothing.abs().max().item()).toBe(0);
});
