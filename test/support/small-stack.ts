import { createSchedule } from "../../src/diffusion/schedule.ts";
import { Rng, normal } from "../../src/engine/random.ts";
import { Tensor } from "../../src/engine/tensor.ts";
import type { EditAdapter } from "../../src/eve/adapters/edit-adapter.ts";
import { stackedCondition, type Networks } from "../../src/eve/stack/teachers.ts";
import { parametersOf, type Parameters } from "../../src/nn/module.ts";
import { SMALL, disturbed, smallNetworks } from "./small-model.ts";

/** Of all that is drawn here. */
export const rng = Rng.seed(21);
export const CLIPS = 2;
const IMAGES = CLIPS * 3;
/** A noisy sample of two clips of three frames. */
export const xt = normal(rng.split("xt"), [IMAGES, 4, 8, 8]);
/** What a stack is told of it. */
export const point = stackedCondition(
  {
    caption: normal(rng.split("caption"), [CLIPS, 5, 16]),
    instruction: normal(rng.split("instruction"), [CLIPS, 5, 16]),
    tasks: Tensor.from([2, 4], [CLIPS], "int64"),
    input: normal(rng.split("input"), [IMAGES, 4, 8, 8]),
    firstFrame: normal(rng.split("first"), [CLIPS, 4, 8, 8]),
  },
  normal(rng.split("nothing"), [1, 5, 16]),
);

/** Small networks whose adapters add something. */
export function networks(): Networks & {
  readonly editAdapter: EditAdapter;
  readonly weights: Parameters;
} {
  const { unet, editAdapter, layers } = smallNetworks();
  const weights = parametersOf({
    unet,
    editAdapter: disturbed(editAdapter),
    videoAdapter: disturbed(layers),
  });
  return {
    unet,
    editAdapter,
    videoAdapter: layers,
    schedule: createSchedule(SMALL.schedule),
    kind: "v",
    weights,
  };
}
