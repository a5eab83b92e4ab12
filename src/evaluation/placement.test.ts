import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SMALL_CLIP, SMALL_TOKENIZER, SMALL_VICLIP } from "../../test/support/small-clip.ts";
import { saveSmallModel } from "../../test/support/small-model.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { writeFrames, writeMiniature } from "../../test/support/tgve-miniature.ts";
import { useVirtualDevice } from "../../test/support/virtual-device.ts";
import { readTgveDataset } from "../data/tgve/dataset.ts";
import { setDefaultDevice } from "../engine/device.ts";
import { Rng } from "../engine/random.ts";
import { EditModel } from "../eve/model/edit-model.ts";
import { Clip } from "../models/clip/clip.ts";
import { loadTokenizer } from "../models/text-encoder/tokenizer.ts";
import { Viclip } from "../models/viclip/viclip.ts";
import { scoreTgve, type TgveEvent } from "./tgve/tgve-metrics.ts";
import { evaluateWorld, MEASUREMENTS } from "./world/world-evaluation.ts";

const root = temporaryFolder();
const { path } = saveSmallModel(join(root, "model"));

beforeEach(useVirtualDevice);

afterEach(() => {
  setDefaultDevice("cpu");
  vi.restoreAllMocks();
});

test("the world's clips are evaluated where tensors are made elsewhere than on the CPU", async () => {
  const report = await evaluateWorld(
    EditModel.load(path),
    {
      split: "validation",
      tasks: ["style"],
      count: 1,
      frames: 3,
      methods: ["stacked", "frame-by-frame", "reconstruction"],
      draw: { steps: 1, sampler: "ddim", guidance: { text: 2, image: 1 }, detail: "keep" },
      isCaptionGiven: true,
      seed: 0,
    },
    MEASUREMENTS,
  );
  expect(report.methods["frame-by-frame"]?.psnr).toBeGreaterThan(0);
  expect(report.video?.adapter.flicker).toBeGreaterThan(0);
});

test("so is a submission to TGVE", async () => {
  await writeMiniature(root);
  const submission = join(root, "submission");
  await writeFrames(join(submission, "DAVIS_480p", "gold-fish", "style"), 3);
  const tokenizer = loadTokenizer(SMALL_TOKENIZER, { maxPositions: 16 });
  const clip = { network: new Clip(Rng.seed(1), SMALL_CLIP), tokenizer };
  const viclip = { network: new Viclip(Rng.seed(3), SMALL_VICLIP), tokenizer };
  const dataset = await readTgveDataset(root);
  const events: TgveEvent[] = [];
  for await (const event of scoreTgve({
    dataset,
    submission,
    encoders: { clip, pick: clip, viclip },
  }))
    events.push(event);
  expect(events.at(-1)).toMatchObject({ type: "benchmark-scored", scored: 1 });
});
