import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SMALL_AUTOENCODER } from "../../test/support/small-model.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { DataError, UserError } from "../engine/errors.ts";
import { loadSafetensors, saveSafetensors } from "../engine/safetensors.ts";
import { Tensor } from "../engine/tensor.ts";
import { autoencoderHash, ModelFolder, TEACHER_PARTS } from "../eve/model/model-folder.ts";
import { AlignmentPart } from "../eve/stack/alignment-config.ts";
import type { Parameters } from "../nn/module.ts";
import { exportTinyPart } from "./tiny-export.ts";

const root = temporaryFolder();

test("a stage that is no part of a model is answered with the parts", async () => {
  const attempt = exportTinyPart("student", root, new ModelFolder(join(root, "model")), {
    cache: root,
  });
  await expect(attempt).rejects.toThrow(
    new UserError(
      'expected a stage among autoencoder, decoder, text-encoder, backbone, edit-adapter, video-adapter, detail-gates, vision, distillation, style-adapter, subject-adapter, got "student"',
    ),
  );
});

test("a run that is not finished is named, with what finishes it", async () => {
  const run = join(root, "run");
  mkdirSync(run);
  const attempt = exportTinyPart("backbone", run, new ModelFolder(join(root, "model")), {
    cache: root,
  });
  await expect(attempt).rejects.toThrow(UserError);
  await expect(attempt).rejects.toThrow(/weights of a finished run at .*run\/weights\/backbone/);
  await expect(attempt).rejects.toThrow(/finish it with "\.\/eve train backbone"/);
});

test("a run that was stopped gives its newest checkpoint where that is asked for, with the receipt of its steps", async () => {
  const run = join(root, "stopped");
  const checkpoint = join(run, "checkpoints", "checkpoint-000007");
  mkdirSync(checkpoint, { recursive: true });
  writeFileSync(join(run, "checkpoints", "latest"), "checkpoint-000007\n");
  const averages = new Map([["weight", Tensor.from([3], [1])]]);
  saveSafetensors(join(checkpoint, "ema.safetensors"), averages);
  writeFileSync(join(checkpoint, "receipt.json"), JSON.stringify({ stage: "backbone", steps: 7 }));
  const target = new ModelFolder(join(root, "from-stopped"));
  await expect(exportTinyPart("backbone", run, target, { cache: root })).rejects.toThrow(
    /or take its newest checkpoint with --unfinished$/,
  );
  const options = { cache: root, isUnfinishedTaken: true };
  expect(await exportTinyPart("backbone", run, target, options)).toBe("backbone");
  expect(target.receipt("backbone")).toEqual({ stage: "backbone", steps: 7 });
  const stored = loadSafetensors(join(target.partPath("backbone"), "weights.safetensors"));
  expect(stored.get("weight")!.item()).toBe(3);
});

test.each([
  ["backbone", "{"],
  ["distillation", '{"config": {"stage": {"items": "all"}}}'],
  ["decoder", "{}"],
])(
  "a run of %s whose receipt is %s is refused, and nothing is put anywhere",
  async (stage, text) => {
    const run = runWith(`bad-${stage}`, stage, new Map([["weight", Tensor.from([1], [1])]]), {});
    writeFileSync(join(run, "receipt.json"), text);
    const target = new ModelFolder(join(root, `of-bad-${stage}`));
    const attempt = exportTinyPart(stage, run, target, { cache: root });
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(/^expected the receipt of a run of this stage/);
    expect(existsSync(target.path)).toBe(false);
  },
);

test("a finished run that was continued is not finished, and gives its newest checkpoint", async () => {
  const weights = (value: number) => new Map([["weight", Tensor.from([value], [1])]]);
  const run = runWith("continued", "backbone", weights(1), { steps: 3 });
  const checkpoint = (step: number): string => join(run, "checkpoints", `checkpoint-00000${step}`);
  const checkpointed = (step: number): void => {
    mkdirSync(checkpoint(step), { recursive: true });
    writeFileSync(join(run, "checkpoints", "latest"), `checkpoint-00000${step}\n`);
    saveSafetensors(join(checkpoint(step), "ema.safetensors"), weights(step));
    writeFileSync(join(checkpoint(step), "receipt.json"), JSON.stringify({ steps: step }));
  };
  const target = new ModelFolder(join(root, "from-continued"));
  const stored = (): number =>
    loadSafetensors(join(target.partPath("backbone"), "weights.safetensors"))
      .get("weight")!
      .item();
  checkpointed(3);
  await exportTinyPart("backbone", run, target, { cache: root });
  expect(stored()).toBe(1);
  checkpointed(5);
  await expect(exportTinyPart("backbone", run, target, { cache: root })).rejects.toThrow(
    /found those from before it was continued: finish it with .* --unfinished$/,
  );
  await exportTinyPart("backbone", run, target, { cache: root, isUnfinishedTaken: true });
  expect(stored()).toBe(5);
});

test("a checkpoint of another stage is not taken for one of this", async () => {
  const run = join(root, "another");
  const checkpoint = join(run, "checkpoints", "checkpoint-000007");
  mkdirSync(checkpoint, { recursive: true });
  writeFileSync(join(run, "checkpoints", "latest"), "checkpoint-000007\n");
  writeFileSync(join(checkpoint, "receipt.json"), JSON.stringify({ stage: "backbone", steps: 7 }));
  const target = new ModelFolder(join(root, "model-of-another"));
  const options = { cache: root, isUnfinishedTaken: true };
  await expect(exportTinyPart("detail-gates", run, target, options)).rejects.toThrow(
    new UserError(
      `expected a run of detail-gates in ${run}, found one of backbone: give its directory with --run`,
    ),
  );
  expect(existsSync(target.path)).toBe(false);
});

test("a checkpoint that has no receipt, as those of earlier versions, is not taken", async () => {
  const run = join(root, "stopped-earlier");
  const checkpoint = join(run, "checkpoints", "checkpoint-000002");
  mkdirSync(checkpoint, { recursive: true });
  writeFileSync(join(run, "checkpoints", "latest"), "checkpoint-000002\n");
  const target = new ModelFolder(join(root, "from-earlier"));
  const options = { cache: root, isUnfinishedTaken: true };
  await expect(exportTinyPart("backbone", run, target, options)).rejects.toThrow(
    /finish it with "\.\/eve train backbone"$/,
  );
});

/** A finished run of `stage` with `weights` and its receipt. */
function runWith(name: string, stage: string, weights: Parameters, receipt: object): string {
  const run = join(root, name);
  mkdirSync(join(run, "weights"), { recursive: true });
  saveSafetensors(join(run, "weights", `${stage}.safetensors`), weights);
  writeFileSync(join(run, "receipt.json"), JSON.stringify({ stage, ...receipt }));
  return run;
}

/** The same, distilled from `model`. */
function finishedRun(stage: string, weights: Parameters, model = ""): string {
  const settings = stage === "distillation" ? { model, alignment: { rank: 4 } } : {};
  return runWith(`run-${stage}`, stage, weights, { config: { stage: settings } });
}

/** A model folder whose parts, as teachers, are one number. */
function teachers(name: string, value: number): ModelFolder {
  const folder = new ModelFolder(join(root, name));
  const weights = new Map([["weight", Tensor.from([value], [1])]]);
  for (const part of TEACHER_PARTS.alignment) folder.savePart(part, { config: {}, weights });
  return folder;
}

test("a share of the way from the part that is there is their mean, and its receipt holds both", async () => {
  const target = new ModelFolder(join(root, "mean"));
  const put = (run: string, share?: number): Promise<string> =>
    exportTinyPart("backbone", run, target, { cache: root, ...(share !== undefined && { share }) });
  const stored = (): number[] => [
    ...loadSafetensors(join(target.partPath("backbone"), "weights.safetensors"))
      .get("weight")!
      .to("float32")
      .toFloat32Array(),
  ];
  const trained = (name: string, values: number[]): string => {
    const weights = new Map([["weight", Tensor.from(values, [values.length])]]);
    return runWith(name, "backbone", weights, { steps: name.length });
  };
  const first = trained("first", [1, -2]);
  await expect(put(first, 0.5)).rejects.toThrow(/has no backbone/);
  await put(first);
  await put(trained("second", [3, 2]), 0.25);
  expect(stored()).toEqual([1.5, -1]);
  expect(target.receipt("backbone")).toEqual({
    averaged: { share: 0.25, before: { stage: "backbone", steps: 5 } },
    stage: "backbone",
    steps: 6,
  });
  const other = trained("third", [3, 2, 1]);
  await expect(put(other, 0.5)).rejects.toThrow(/weight/);
  expect(stored()).toEqual([1.5, -1]);
});

test("weights that are not those of the part that is there leave it as it is", async () => {
  const target = new ModelFolder(join(root, "unlike"));
  const run = (name: string, weights: Parameters): string => runWith(name, "backbone", weights, {});
  const fitting = new Map([["weight", Tensor.from([1], [1])]]);
  await exportTinyPart("backbone", run("fits", fitting), target, { cache: root });
  const others = new Map([["gain", Tensor.from([2], [1])]]);
  const attempt = exportTinyPart("backbone", run("unfit", others), target, { cache: root });
  await expect(attempt).rejects.toThrow(DataError);
  await expect(attempt).rejects.toThrow(
    /unfit\/weights\/backbone\.safetensors does not fit this model: 1 tensors missing \(weight\); 1 tensors unexpected \(gain\)/,
  );
  expect([...target.weights("backbone").keys()]).toEqual(["weight"]);
});

test("of a vision run the teacher's transformer is kept, under its own names", async () => {
  const [kept, left] = [Tensor.from([1], [1]), Tensor.from([2], [1])];
  const weights = new Map([
    ["student.vision.norm.weight", left],
    ["teacher.vision.norm.weight", kept],
    ["centre", left],
  ]);
  const target = new ModelFolder(join(root, "with-vision"));
  expect(
    await exportTinyPart("vision", finishedRun("vision", weights), target, { cache: root }),
  ).toBe("vision");
  const stored = loadSafetensors(join(target.partPath("vision"), "weights.safetensors"));
  expect([...stored].map(([name, weight]) => [name, weight.item()])).toEqual([["norm.weight", 1]]);
});

test("a distillation becomes an alignment that says whose student it is", async () => {
  const folder = teachers("teachers", 1);
  const run = finishedRun("distillation", new Map([["a.up", Tensor.ones([1])]]), folder.path);
  expect(await exportTinyPart("distillation", run, folder, { cache: root })).toBe("alignment");
  expect(folder.config("alignment", AlignmentPart)).toEqual({
    student: "aligned",
    editStrength: "trained",
    rank: 4,
    alpha: null,
    layers: "transformer",
    videoStrength: 1,
    teachers: folder.hash(TEACHER_PARTS.alignment),
  });
  const others = teachers("others", 2);
  const attempt = exportTinyPart("distillation", run, others, { cache: root });
  await expect(attempt).rejects.toThrow(/expected the adapters that the run was distilled from/);
  expect(others.has("alignment")).toBe(false);
  const half = exportTinyPart("distillation", run, folder, { cache: root, share: 0.5 });
  await expect(half).rejects.toThrow(/--share: expected a part that is trained by itself/);
});

test("an alignment that has learned how strongly to hear the video adapter says so", async () => {
  const folder = teachers("learned", 4);
  const weights = new Map([
    ["a.up", Tensor.ones([1])],
    ["videoStrength.convIn.value", Tensor.ones([])],
  ]);
  const run = finishedRun("distillation", weights, folder.path);
  await exportTinyPart("distillation", run, folder, { cache: root });
  expect(folder.config("alignment", AlignmentPart)).toMatchObject({ videoStrength: "learned" });
});

test("an alignment may be put elsewhere, and leaves the model as it is", async () => {
  const folder = teachers("untouched", 3);
  const run = finishedRun("distillation", new Map([["a.up", Tensor.ones([1])]]), folder.path);
  const elsewhere = new ModelFolder(folder.path, { alignment: join(root, "elsewhere") });
  await exportTinyPart("distillation", run, elsewhere, { cache: root });
  expect([folder.has("alignment"), elsewhere.has("alignment")]).toEqual([false, true]);
});

/** A model folder with an autoencoder of one number a side. */
function autoencoderOf(name: string, encoder: number): ModelFolder {
  const folder = new ModelFolder(join(root, name));
  const weights = new Map([
    ["encoder.bias", Tensor.from([encoder], [1])],
    ["decoder.bias", Tensor.from([2], [1])],
  ]);
  const receipt = { stage: "autoencoder", steps: 5 };
  folder.savePart("autoencoder", { config: SMALL_AUTOENCODER, weights, receipt });
  return folder;
}

test("a decoder that learned on takes the old one's place beside its encoder, and the receipt holds both", async () => {
  const folder = autoencoderOf("decoded", 1 / 3);
  const latentsOf = autoencoderHash(folder);
  const weights = new Map([["decoder.bias", Tensor.from([4], [1])]]);
  const config = { stage: { model: folder.path } };
  const run = runWith("decoder-run", "decoder", weights, { steps: 7, config });
  const stored = (): number[] => {
    const kept = folder.weights("autoencoder");
    return ["encoder.bias", "decoder.bias"].map((name) => kept.get(name)!.item());
  };
  const [encoder] = stored();
  expect(await exportTinyPart("decoder", run, folder, { cache: root, share: 0.5 })).toBe(
    "autoencoder",
  );
  expect(stored()).toEqual([encoder, 3]);
  await exportTinyPart("decoder", run, folder, { cache: root });
  expect(stored()).toEqual([encoder, 4]);
  expect(autoencoderHash(folder)).toBe(latentsOf);
  expect(folder.receipt("autoencoder")).toMatchObject({ stage: "decoder", steps: 7 });
  expect(folder.receipt("autoencoder")).toHaveProperty("before.before");

  const other = autoencoderOf("other-encoder", 1);
  await expect(exportTinyPart("decoder", run, other, { cache: root })).rejects.toThrow(
    /expected the encoder that the decoder was trained for/,
  );
});
