import { expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { clipItems, editItems, smallTexts } from "../../../test/support/latent-items.ts";
import { disturbed, SMALL_AUTOENCODER } from "../../../test/support/small-model.ts";
import { networks as smallStack } from "../../../test/support/small-stack.ts";
import { TASKS } from "../../data/world/tasks.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { editTeacher, stacked } from "../../eve/stack/teachers.ts";
import { Autoencoder } from "../../models/vae/autoencoder.ts";
import type { Sample } from "../stage.ts";
import { drawAlignment } from "./distillation-drawings.ts";
import { DistillationSettings } from "./distillation-settings.ts";
import { drawEditedPictures } from "./drawings.ts";

const texts = smallTexts();
const networks = smallStack();
const { unet, editAdapter } = networks;
const autoencoder = new Autoencoder(Rng.seed(1), SMALL_AUTOENCODER);
const decode = (latents: Tensor): Tensor => autoencoder.decode(latents);

/** The rows of a sheet, each as one tensor. */
function rowsOf([sheet]: readonly Sample[]): Tensor[] {
  if (sheet?.type !== "sheet") throw new TypeError("expected a sheet");
  return sheet.rows.map((row) => Tensor.stack(row, 0));
}

test("edits stand below their inputs and what is right, with their captions and without", () => {
  using _ = tensorScope();
  const held = editItems(2 * TASKS.length);
  const kit = { autoencoder, unet, texts, schedule: networks.schedule };
  const rows = rowsOf(drawEditedPictures(kit, disturbed(editAdapter), held));
  const all = held.firstIndices(held.count);
  for (const [row, side] of ["before", "after"].entries()) {
    const wanted = noGrad(() => decode(held.gather(side, all)).clamp(-1, 1));
    expect(largestDifference(rows[row]!, wanted)).toBe(0);
  }
  expect(rows).toHaveLength(4);
  expect(largestDifference(rows[2]!, rows[3]!)).toBeGreaterThan(0);
});

test("what a student draws stands below what both adapters draw without it, from the same noise", () => {
  using _ = tensorScope();
  const items = clipItems(3);
  const words = { task: "add", instruction: "add a hat", outputCaption: "a fox, a hat" } as const;
  const clips = {
    count: 3,
    firstIndices: (limit: number) => items.firstIndices(limit),
    gather: (name: string, indices: readonly number[]) => items.gather(name, indices),
    text: () => words,
  };
  const held = { clips, firstFrames: null, samples: null };
  const settings = DistillationSettings.parse({});
  const kit = { networks, decode, texts, held, settings };
  const same = rowsOf(drawAlignment(kit, stacked(networks)));
  const other = rowsOf(drawAlignment(kit, editTeacher(networks)));
  expect([same.length, other.length]).toEqual([9, 9]);
  for (const clip of [0, 1, 2]) {
    const [input, plain, student] = same.slice(3 * clip);
    const wanted = noGrad(() => decode(items.gather("clip", [clip]).select(0, 0)).clamp(-1, 1));
    expect(largestDifference(input!, wanted)).toBe(0);
    expect(largestDifference(student!, plain!)).toBe(0);
    expect(largestDifference(other[3 * clip + 1]!, plain!)).toBe(0);
    expect(largestDifference(other[3 * clip + 2]!, plain!)).toBeGreaterThan(0);
  }
});
