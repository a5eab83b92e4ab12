import { describe, expect, test } from "vitest";
import {
  flatLatents,
  standInModel,
  type Evaluation,
  type StandInOptions,
} from "../../../test/editing/stand-in-model.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import { HeldTensors } from "../../engine/held-tensors.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import type { EditingModel } from "../settings/model.ts";
import { readSettings, resolveSettings, type ResolvedSettings } from "../settings/settings.ts";
import { frameNoise } from "./frame-noise.ts";
import { WindowEditor } from "./window-editor.ts";
import { planWindows } from "./windows.ts";

const levels = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
/** Windows of four frames, two of them new but in the first: they begin at frames 0, 2 and 4. */
const places = planWindows(levels.length, { window: 4, overlap: 2 });

/** A model that turns frames into their negative, and settings of one step. */
function setup(
  options: StandInOptions = {},
  own: Record<string, unknown> = {},
): readonly [EditingModel, ResolvedSettings] {
  const model = standInModel({ factor: -1, ...options });
  const input = { instruction: "make it snow", steps: 1, overlap: 2, ...own };
  return [model, resolveSettings(readSettings(input), model)];
}

function freshOf({ start, known, length }: (typeof places)[number]): Float<"f c h w"> {
  return flatLatents(levels.slice(start + known, start + length));
}

/** The edit of all frames; windows whose edits are at hand are restored. */
async function edited(
  editor: WindowEditor,
  held: HeldTensors,
  restored: readonly (Tensor | undefined)[] = [],
): Promise<Float<"f c h w">[]> {
  const windows: Tensor[] = [];
  for (const [index, place] of places.entries()) {
    const input = freshOf(place);
    const made = restored[index];
    if (made) expect(editor.restore({ input, edited: made }, held)).toEqual(place);
    windows.push(made ?? (await editor.edit(input, held)));
  }
  return windows;
}

describe("frames that are edited together", () => {
  test("are led by the first edited frame of their window", async () => {
    using held = new HeldTensors();
    const evaluations: Evaluation[] = [];
    using editor = new WindowEditor(...setup({ onPredict: (one) => evaluations.push(one) }));
    await edited(editor, held);
    const led = evaluations.filter(({ by }) => by === "stack");
    expect(led.map(({ frames }) => frames)).toEqual([4, 4, 4]);
    led.forEach(({ firstFrameMean }, index) =>
      expect(firstFrameMean).toBeCloseTo(-levels[places[index]!.start]!, 6),
    );
  });

  test("start each from the noise of its number in the clip, whatever window it falls into", async () => {
    using held = new HeldTensors();
    const [model, settings] = setup({ grain: 0.5 });
    using editor = new WindowEditor(model, settings, 3);
    const found = Tensor.cat(await edited(editor, held), 0);
    const noise = frameNoise(3, 8, { seed: 0, mode: "independent", shape: [12, 16, 16] });
    const wanted = flatLatents(levels).mul(-1).add(noise.mul(0.5));
    expect(largestDifference(found, wanted)).toBeLessThan(1e-6);
  });

  test("stand before the model as they were edited, with noise of their own, where they are known", async () => {
    using held = new HeldTensors();
    const [model, settings] = setup({}, { steps: 2 });
    const shown: { readonly xt: Tensor; readonly t: number }[] = [];
    const watched: EditingModel = {
      ...model,
      stacked: () => ({
        predict(xt, t, condition) {
          shown.push({ xt: held.take(xt.clone()), t });
          return model.stacked().predict(xt, t, condition);
        },
      }),
    };
    using editor = new WindowEditor(watched, settings);
    await edited(editor, held);
    const { xt, t } = shown.at(-1)!;
    const { start, known } = places.at(-1)!;
    expect([start, known]).toEqual([4, 2]);
    const noise = frameNoise(start, 2, { seed: 0, mode: "independent", shape: [12, 16, 16] });
    const clean = flatLatents(levels.slice(start, start + 2)).mul(-1);
    const wanted = model.schedule.addNoise(clean, noise, t);
    expect(largestDifference(xt.narrow(0, 0, 2), wanted)).toBeLessThan(1e-6);
  });

  test("go on from windows that were edited before as if they were edited now", async () => {
    using held = new HeldTensors();
    const [model, settings] = setup({ grain: 0.5 });
    using straight = new WindowEditor(model, settings);
    const whole = await edited(straight, held);
    for (const count of [1, 2]) {
      using resumed = new WindowEditor(model, settings);
      const again = await edited(resumed, held, whole.slice(0, count));
      again.forEach((window, index) => expect(largestDifference(window, whole[index]!)).toBe(0));
    }
  });
});

test("frames that are edited one by one start each from the noise of its number in the clip", async () => {
  using held = new HeldTensors();
  const [model, settings] = setup({ grain: 0.5 }, { method: "frame-by-frame" });
  using editor = new WindowEditor(model, settings, 3);
  const groups = [levels.slice(0, 4), levels.slice(4)];
  const found: Tensor[] = [];
  for (const group of groups) found.push(await editor.edit(flatLatents(group), held));
  const noise = frameNoise(3, 8, { seed: 0, mode: "independent", shape: [12, 16, 16] });
  const wanted = flatLatents(levels).mul(-1).add(noise.mul(0.5));
  expect(largestDifference(Tensor.cat(found, 0), wanted)).toBeLessThan(1e-6);
});
