import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../engine/errors.ts";
import { prepareClips } from "../data/clips/prepare.ts";
import { dataFiles, readClips } from "../data/clips/dataset.ts";
import { readJsonLines, writeJsonLines } from "../data/clips/json-lines.ts";
import { writeInstructions } from "../data/instructions/instruct.ts";
import { InstructionRecord } from "../data/instructions/record.ts";
import { templateWriter } from "../data/instructions/template-writer.ts";
import { autoencoderHash } from "../eve/model/model-folder.ts";
import { loadAutoencoder } from "../eve/model/parts.ts";
import { loadTokenizer } from "../models/text-encoder/tokenizer.ts";
import type { TrainConfig } from "../training/config.ts";
import type { TrainEvent } from "../training/events.ts";
import { openRunDirectory } from "../training/run.ts";
import { resolveConfig, stageEntry, type StageContext } from "../training/stage.ts";
import { DistillationSettings } from "../training/stages/distillation-settings.ts";
import { train } from "../training/train.ts";
import { makeClip } from "../../test/support/clips.ts";
import { largestDifference } from "../../test/support/difference.ts";
import { saveSmallModel } from "../../test/support/small-model.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { clipSettings, openClipEncoder } from "./clip-encoder.ts";
import { dataWarnings, withData } from "./own-data.ts";
import { ownInputs } from "./own-inputs.ts";
import { tiny } from "./tiny.ts";

const root = temporaryFolder();
const model = saveSmallModel(join(root, "model"), { hasVision: true });
const data = join(root, "mine");
const { signal } = new AbortController();
const context: StageContext = { signal, progress: () => {} };

/** Three videos of the test's own making, prepared for the small model, with instructions. */
beforeAll(async () => {
  const videos = [32, 48, 64].map((height) => join(root, `${height}.mp4`));
  for (const [index, path] of videos.entries()) {
    await makeClip(path, { width: 64, height: 32 + 16 * index });
    writeFileSync(path.replace("mp4", "txt"), "a red fox in a meadow, wobbling");
  }
  const settings = clipSettings(model.path, { stride: 1, clipsPerVideo: 1 });
  expect(settings).toMatchObject({ model: "small", frames: 4, size: 32 });
  const encode = openClipEncoder(model.path, "cpu");
  for await (const _ of prepareClips({ folder: data, videos, settings, encode, signal }));
  const { clips } = readClips(data);
  for await (const _ of writeInstructions({ folder: data, clips, writer: templateWriter, signal }));
});

function configOf(stage: Record<string, unknown> = {}): TrainConfig {
  const entry = withData(stageEntry(tiny, "distillation"), data);
  const base = resolveConfig(entry);
  return resolveConfig(entry, {
    ...base,
    steps: 3,
    batch: 1,
    precision: "float32",
    threads: 1,
    stage: {
      ...base.stage,
      model: model.path,
      cache: join(root, "cache"),
      held: 3,
      samples: { ...(base.stage["samples"] as object), steps: 1 },
      alignment: { rank: 2, alpha: null, layers: "transformer" },
      heads: { depths: [0, 1], channels: 8, heads: 2, size: null },
      criticWarmup: 1,
      ...stage,
    },
  });
}

async function trained(folder: string, config: TrainConfig): Promise<TrainEvent[]> {
  using directory = openRunDirectory(folder, "distillation", config);
  const stage = await stageEntry(tiny, "distillation").open(config, context);
  const events: TrainEvent[] = [];
  for await (const event of train({ stage, config, directory, signal })) events.push(event);
  return events;
}

describe("a distillation on data of one's own", () => {
  test("runs all phases on its clips, and its receipt tells which", async () => {
    const run = join(root, "run");
    const events = await trained(run, configOf());
    expect(events.at(-1)).toMatchObject({ type: "run-end", reason: "finished" });
    const last = events.findLast((event) => event.type === "step-end");
    expect(Object.keys(last?.losses ?? {})).toEqual(
      expect.arrayContaining(["sdsEdit", "sdsVideo", "genEdit", "genVideo"]),
    );
    const receipt = JSON.parse(readFileSync(join(run, "receipt.json"), "utf8"));
    expect(receipt.dataset).toMatch(/^own data [0-9a-f]{12}, 2 unedited clips with 14 instruct/);
    expect(receipt.config.stage).toMatchObject({ data, items: null });
  });

  test("takes as many inputs as asked for", async () => {
    const stage = await stageEntry(tiny, "distillation").open(configOf({ items: 5 }), context);
    expect(stage.dataset).toMatch(/1 unedited clips with 5 instructions$/);
  });

  test("is measured on other clips than it learns from", async () => {
    const settings = DistillationSettings.parse(configOf().stage);
    const autoencoder = loadAutoencoder(model);
    const own = { autoencoder, autoencoderHash: autoencoderHash(model), size: 32, frames: 4 };
    const inputs = ownInputs(data, { folder: join(root, "cache"), ...own }, settings);
    const [learned, measured] = [await inputs.train.open(), await inputs.held.open()];
    expect([learned.count, measured.count]).toEqual([14, 3]);
    const clip = measured.gather("clip", [0]);
    for (const index of learned.firstIndices(14))
      expect(largestDifference(learned.gather("clip", [index]), clip)).toBeGreaterThan(0.01);
  });

  test("warns of words that the model never learned, and only of those", () => {
    const [warning, ...others] = dataWarnings(configOf());
    expect(others).toEqual([]);
    expect(warning).toMatch(/^in .*mine, the model never learned .*"wobbling"/);
    const named = [...warning!.matchAll(/"(\w+)"/g)].map(([, word]) => word!);
    const tokenizer = loadTokenizer(model.partPath("text-encoder"));
    expect(named.filter((word) => tokenizer.knows(word))).toEqual([]);
    const entry = stageEntry(tiny, "distillation");
    expect(dataWarnings(resolveConfig(entry))).toEqual([]);
  });

  test("is refused beside another combination, and without a number on the endless world", async () => {
    const entry = stageEntry(tiny, "distillation");
    const styled = saveSmallModel(join(root, "styled"), { hasVision: true, looks: ["style"] });
    const both = configOf({ combine: "style:line-art", model: styled.path });
    await expect(entry.open(both, context)).rejects.toThrow(/stage\.data and stage\.combine/);
    const endless = configOf({ data: null, dataDigest: null, items: null });
    await expect(entry.open(endless, context)).rejects.toThrow(/the generated world has no end/);
  });

  test("is refused when the data has changed since: it would be another run", async () => {
    const before = configOf();
    const { instructions } = dataFiles(data);
    const records = readJsonLines(instructions, InstructionRecord);
    writeJsonLines(instructions, records.slice(1));
    const entry = stageEntry(tiny, "distillation");
    await expect(entry.open(before, context)).rejects.toThrow(
      /the data set in .* has changed since this run was set up/,
    );
    await expect(trained(join(root, "run"), configOf())).rejects.toThrow(
      /holds a run with other settings \(stage\.dataDigest "\w+" became "\w+"\)/,
    );
    writeJsonLines(instructions, records);
  });
});

test("clips have sizes that the autoencoder can halve", () => {
  expect(() => clipSettings(model.path, { size: 30, stride: 1, clipsPerVideo: 1 })).toThrow(
    new UserError(
      `--size: expected a multiple of 4, which the autoencoder of ${model.path} needs, got 30`,
    ),
  );
});
