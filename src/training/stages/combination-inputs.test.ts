import { readdirSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { BF16_BATCHES, relativeError } from "../../../test/support/difference.ts";
import { smallTexts } from "../../../test/support/latent-items.ts";
import {
  disturbed,
  SMALL,
  SMALL_AUTOENCODER,
  smallNetworks,
} from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { encodeFrames } from "../../data/caches/encode-frames.ts";
import { FRAME_SPAN } from "../../data/caches/frame-number.ts";
import { finished, lookRequestAt } from "../../data/caches/look-requests.ts";
import type { UneditedSource } from "../../data/caches/unedited-clips.ts";
import { renderFrame } from "../../data/world/render.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { AlignmentConfig } from "../../eve/stack/alignment-config.ts";
import { createAlignment } from "../../eve/stack/student.ts";
import { Autoencoder } from "../../models/vae/autoencoder.ts";
import { openCombinationInputs } from "./combination-inputs.ts";
import { DistillationSettings } from "./distillation-settings.ts";

const SIZE = 32;
const COUNT = 3;
const look = { type: "style", name: "line-art" } as const;
const texts = smallTexts();
const { unet, editAdapter } = smallNetworks();
const lora = disturbed(createAlignment(Rng.seed(4), unet, AlignmentConfig.parse({ rank: 2 })));
const autoencoder = new Autoencoder(Rng.seed(1), SMALL_AUTOENCODER);
const requests = Array.from({ length: COUNT }, (_, index) => lookRequestAt(look, "train", index));

function sourceIn(folder: string): UneditedSource {
  const made = { autoencoder, autoencoderHash: "abc" };
  return { folder, ...made, split: "train", size: SIZE, frames: 1, count: COUNT };
}

function optionsOf(combineInputs: "drawn" | "pictures", own: object = {}, teachersHash = "us") {
  const samples = { steps: 1, ...own };
  return {
    networks: {
      unet,
      editAdapter,
      videoAdapter: null,
      look: lora,
      schedule: createSchedule(SMALL.schedule),
      kind: "v",
    },
    texts,
    settings: DistillationSettings.parse({ combineInputs, samples, terms: ["sdsEdit"] }),
    teachersHash,
  } as const;
}

test("the world's pictures are those of each request's scene, with the look", async () => {
  const { clips } = await openCombinationInputs(
    look,
    sourceIn(temporaryFolder()),
    optionsOf("pictures"),
  );
  using _ = tensorScope();
  for (const [index, { scene, task, instruction, outputCaption }] of requests.entries()) {
    expect(clips.text(index)).toEqual({ task, instruction, outputCaption });
    const errors = Array.from({ length: FRAME_SPAN }, (__, frame) => {
      const rgb = finished(look, renderFrame(scene, frame, SIZE), SIZE);
      const wanted = encodeFrames(autoencoder, [rgb], SIZE);
      return relativeError(clips.gather("clip", [index]).select(1, 0), wanted);
    });
    expect(Math.min(...errors)).toBeLessThan(BF16_BATCHES);
  }
});

test("the look's teacher draws its pictures from what is said of them before the edit", async () => {
  const features = vi.spyOn(texts, "features");
  await openCombinationInputs(look, sourceIn(temporaryFolder()), optionsOf("drawn"));
  const told = features.mock.calls.map(([sentences]) => sentences);
  features.mockRestore();
  expect(told).toContainEqual(requests.map(({ inputCaption }) => inputCaption));
  expect(told.flat()).not.toContain(requests[0]!.outputCaption);
});

test.each([
  ["by other teachers", {}, "others"],
  ["in other steps", { steps: 2 }, "us"],
  ["with other guidance", { guideVideo: { image: 1, text: 2 } }, "us"],
])("drawn pictures are drawn again %s", async (_, samples, teachersHash) => {
  const folder = temporaryFolder();
  await openCombinationInputs(look, sourceIn(folder), optionsOf("drawn"));
  await openCombinationInputs(look, sourceIn(folder), optionsOf("drawn", samples, teachersHash));
  expect(readdirSync(folder)).toHaveLength(2);
});
