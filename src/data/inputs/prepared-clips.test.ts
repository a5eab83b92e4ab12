import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../engine/errors.ts";
import { Tensor } from "../../engine/tensor.ts";
import { CLIP_SETTINGS, writeDataSet } from "../../../test/support/data-set.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { shardPath, writeShard } from "../caches/shards.ts";
import { UneditedText } from "../caches/unedited-clips.ts";
import { writeInstructions } from "../instructions/instruct.ts";
import { templateWriter } from "../instructions/template-writer.ts";
import { TASKS } from "../world/tasks.ts";
import { dataFiles } from "../clips/dataset.ts";
import { writeJsonLines } from "../clips/json-lines.ts";
import { dataDigest, digestOf, readPreparedData, requireFit } from "./prepared-items.ts";
import { latentsOf, preparedInputs } from "./prepared-clips.ts";

const root = temporaryFolder();

/** A data set of `count` clips; the latents of clip i are all i. */
async function dataSet(name: string, count: number, isInstructed = true): Promise<string> {
  const folder = join(root, name);
  const clips = writeDataSet(
    folder,
    Array.from({ length: count }, (_, i) => `a fox number ${i}`),
  );
  mkdirSync(dataFiles(folder).latents);
  const numbers = clips.flatMap(({ index }) => Array.from({ length: 4 }, () => index));
  writeShard(shardPath(dataFiles(folder).latents, 0, count), () => ({
    tensors: new Map([["clip", Tensor.from(numbers, [count, 4, 1, 1, 1])]]),
    texts: clips.map(() => null),
  }));
  const { signal } = new AbortController();
  if (isInstructed)
    for await (const _ of writeInstructions({ folder, clips, writer: templateWriter, signal }));
  return folder;
}

describe("a data set", async () => {
  const folder = await dataSet("whole", 10);

  test("holds whole clips out, chosen by their pictures, at most a fifth", () => {
    const { train, held } = readPreparedData(folder, 21);
    expect([train.length, held.length]).toEqual([8 * 7, 2 * 7]);
    const own = new Set(held.map(({ clip }) => clip));
    expect(train.filter(({ clip }) => own.has(clip))).toEqual([]);
    expect(readPreparedData(folder, 21).held).toEqual(held);
    const few = readPreparedData(folder, 3);
    expect([few.train.length, few.held.length]).toEqual([9 * 7, 3]);
  });

  test("holds all clips of a video out together, unless there is one video alone", async () => {
    const several = await dataSet("several", 10);
    const { clips } = readPreparedData(several, 21);
    const heldOf = (videos: number) => {
      const sourceOf = (index: number): string => `../videos/${index % videos}.mp4`;
      const cut = clips.map((clip) => ({ ...clip, source: sourceOf(clip.index) }));
      writeJsonLines(dataFiles(several).clips, cut);
      const { train, held } = readPreparedData(several, 21);
      const [learned, kept] = [train, held].map(
        (records) => new Set(records.map(({ clip }) => sourceOf(clip))),
      );
      const isShared = [...kept!].some((source) => learned!.has(source));
      return { clips: held.length / 7, videos: kept!.size, isShared };
    };
    expect(heldOf(5)).toEqual({ clips: 2, videos: 1, isShared: false });
    expect(heldOf(1)).toEqual({ clips: 2, videos: 1, isShared: true });
  });

  test("gives each instruction its clip's latents, and no picture but those", async () => {
    const { train, clips } = readPreparedData(folder, 7);
    const common = {
      folder,
      latents: latentsOf(folder),
      clips,
      cache: join(root, "cache"),
      autoencoderHash: "abc",
    };
    const source = preparedInputs({ ...common, name: "train", records: train });
    const inputs = await source.open();
    expect([source.count, inputs.count]).toEqual([63, 63]);
    const [a, b] = [0, 62].map((index) => inputs.gather("clip", [index]));
    expect([a!.shape, a!.mean().item()]).toEqual([[1, 4, 1, 1, 1], train[0]!.clip]);
    expect(b!.mean().item()).toBe(train[62]!.clip);
    expect(UneditedText.parse(inputs.text(5)).task).toBe(TASKS[5]);
    expect(Object.keys(inputs.text(5))).toEqual(["task", "instruction", "outputCaption"]);
    expect(inputs.firstIndices(2)).toEqual([0, 1]);
    expect(() => inputs.gather("edited", [0])).toThrow(TypeError);
    const other = preparedInputs({ ...common, name: "held", records: train });
    expect(source.folderFor("first-frames")).not.toBe(other.folderFor("first-frames"));
  });

  test("keeps what is drawn from other clips, or other words, elsewhere", () => {
    const few = readPreparedData(folder, 7);
    const more = readPreparedData(folder, 14);
    const { clips } = few;
    const folderOf = (records: typeof few.train): string =>
      preparedInputs({
        folder,
        latents: latentsOf(folder),
        clips,
        name: "train",
        records,
        cache: "cache",
        autoencoderHash: "abc",
      }).folderFor("first-frames");
    const items = 8 * 7;
    const [a, b] = [few, more].map(({ train }) => train.slice(0, items));
    expect(a).not.toEqual(b);
    expect(folderOf(a!)).not.toBe(folderOf(b!));
    expect(folderOf([...a!])).toBe(folderOf(a!));
    const [first, ...rest] = a!;
    for (const other of [{ instruction: "make it snow" }, { task: "texture" as const }])
      expect(folderOf([{ ...first!, ...other }, ...rest])).not.toBe(folderOf(a!));
  });

  test("has a digest of its pictures and words", async () => {
    expect(dataDigest(folder)).toBe(readPreparedData(folder, 21).digest);
    expect(dataDigest(await dataSet("same", 10))).toBe(dataDigest(folder));
    expect(dataDigest(await dataSet("smaller", 9))).not.toBe(dataDigest(folder));
  });

  test("has another digest in another precision, as far as that is noted", () => {
    const { train, clips } = readPreparedData(folder, 21);
    const digests = (["float32", "bfloat16", undefined] as const).map((precision) =>
      digestOf(
        train,
        clips.map((clip) => Object.assign({}, clip, { precision })),
      ),
    );
    expect(new Set(digests).size).toBe(3);
    expect(digests[2]).toBe(digestOf(train, clips));
  });

  test("has to fit the model, and says in what it does not", () => {
    const { frames, size, autoencoder } = CLIP_SETTINGS;
    expect(() => requireFit("data/x", CLIP_SETTINGS, { frames, size, autoencoder })).not.toThrow();
    const wanted = { frames: 8, size: 128, autoencoder: "other" };
    expect(() => requireFit("data/x", CLIP_SETTINGS, wanted)).toThrow(
      new UserError(
        "data/x holds clips of 4 frames, the model sees 8 at once and pictures of 32 × 32, the model's have 128 × 128 and latents of another autoencoder than the model's: prepare the clips for this model, into another folder",
      ),
    );
  });
});

describe("what cannot be trained on is refused:", () => {
  test("clips without instructions", async () => {
    const folder = await dataSet("silent", 3, false);
    expect(() => readPreparedData(folder, 7)).toThrow(
      /have no instructions: write them with "\.\/eve data instruct/,
    );
  });

  test("a single clip", async () => {
    const folder = await dataSet("single", 1);
    expect(() => readPreparedData(folder, 7)).toThrow(/expected two clips with instructions/);
  });

  test("instructions for clips whose latents are gone", async () => {
    const folder = await dataSet("fewer", 4);
    const { train, clips } = readPreparedData(folder, 7);
    const records = [...train, { ...train[0]!, clip: 4 }];
    const latents = latentsOf(folder);
    const common = {
      folder,
      latents,
      name: "train",
      clips,
      cache: root,
      autoencoderHash: "abc",
    };
    await expect(preparedInputs({ ...common, records }).open()).rejects.toThrow(
      /holds 4 clips and the instructions speak of more: repeat/,
    );
  });
});
