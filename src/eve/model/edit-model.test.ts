import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  BF16_BATCHES,
  largestDifference,
  relativeError,
} from "../../../test/support/difference.ts";
import { SMALL, SMALL_AUTOENCODER, saveSmallModel } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { ConfigError, DataError, UserError } from "../../engine/errors.ts";
import { Rng, normal } from "../../engine/random.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { DetailGatesConfig } from "../../models/detail/config.ts";
import { DetailGates } from "../../models/detail/detail-gates.ts";
import { TextEncoderConfig } from "../../models/text-encoder/config.ts";
import { TextEncoder } from "../../models/text-encoder/text-encoder.ts";
import { Autoencoder } from "../../models/vae/autoencoder.ts";
import { resolveVaeConfig } from "../../models/vae/config.ts";
import { EditModel } from "./edit-model.ts";

const root = temporaryFolder();
const model = EditModel.load(saveSmallModel(join(root, "small")).path);
const f = 3;
const input = normal(Rng.seed(1), [f, 4, 8, 8]);
const firstFrame = normal(Rng.seed(2), [1, 4, 8, 8]);
const xt = normal(Rng.seed(3), [f, 4, 8, 8]);
const texts = { caption: "a red fox", instruction: "make it blue", task: "object" };

describe("a loaded model", () => {
  test("says what it is", () => {
    expect(model.name).toBe(SMALL.name);
    expect(model.size).toBe(SMALL.size);
    expect(model.window).toBe(4);
    expect(model.hasVideoAdapter).toBe(true);
    expect(model.tasks).toHaveLength(7);
    expect(model.schedule.isZeroTerminal).toBe(true);
    expect(model.latentShape(5)).toEqual([5, 4, 8, 8]);
    expect(model.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  test("has another hash where one weight differs", () => {
    const other = saveSmallModel(join(root, "other"), { isTrained: false });
    expect(EditModel.load(other.path).hash).not.toBe(model.hash);
    expect(EditModel.load(model.path).hash).toBe(model.hash);
  });

  test("gives edited pictures detail back where it has learned how, and is another model then", () => {
    expect(model.restoreDetail).toBeUndefined();
    const folder = saveSmallModel(join(root, "gated"));
    const config = DetailGatesConfig.parse({ channels: [4, 4] });
    const gates = new DetailGates(Rng.seed(5), config);
    folder.savePart("detail-gates", { config, weights: gates.parameters() });
    const gated = EditModel.load(folder.path);
    expect(gated.hash).not.toBe(model.hash);
    const draw = (seed: number): Tensor => normal(Rng.seed(seed), [2, 3, 32, 32]);
    const pictures = { source: draw(1), reconstruction: draw(2), edited: draw(3) };
    const wanted = noGrad(() => gates.forward(pictures).clamp(-1, 1));
    const error = relativeError(gated.restoreDetail!(pictures), wanted);
    expect(error).toBeLessThan(BF16_BATCHES); // stored in float16, and counted in bfloat16 where that is fast
  });

  test("is refused with the sentence of a part whose config no text can be made of", () => {
    const folder = saveSmallModel(join(root, "deep"));
    const config = DetailGatesConfig.parse({ channels: [4, 4] });
    const weights = new DetailGates(Rng.seed(5), config).parameters();
    folder.savePart("detail-gates", { config, weights });
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    writeFileSync(join(folder.partPath("detail-gates"), "config.json"), deep);
    expect(() => EditModel.load(folder.path)).toThrow(DataError);
    expect(() => EditModel.load(folder.path)).toThrow(/describes no detail-gates/);
  });

  test.each([
    [7, /model\.json: expected a size divisible by \d+, got 7/],
    [2 ** 31, /describes no model that this version knows: size: Too big/],
  ])("is refused where its pictures are to have %i pixels a side", (size, sentence) => {
    const { path } = saveSmallModel(join(root, `size-${size}`));
    writeFileSync(join(path, "model.json"), JSON.stringify({ ...SMALL, size }));
    expect(() => EditModel.load(path)).toThrow(DataError);
    expect(() => EditModel.load(path)).toThrow(sentence);
  });

  test("is refused where its autoencoder makes latents that its backbone does not read", () => {
    const folder = saveSmallModel(join(root, "other-latents"));
    const config = resolveVaeConfig({ ...SMALL_AUTOENCODER, latentChannels: 8 });
    const weights = new Autoencoder(Rng.seed(6), config).parameters();
    folder.savePart("autoencoder", { config, weights });
    expect(() => EditModel.load(folder.path)).toThrow(DataError);
    expect(() => EditModel.load(folder.path)).toThrow(
      /reads latents of 4 channels, and draws 4, and the autoencoder there makes 8: take the/,
    );
  });

  test("is refused where its text encoder makes words that its backbone does not read", () => {
    const folder = saveSmallModel(join(root, "other-words"));
    const config = { ...folder.config("text-encoder", TextEncoderConfig), hiddenSize: 24 };
    const weights = new TextEncoder(Rng.seed(7), config).parameters();
    const files = ["tokenizer.json", "words.json"].map((name) =>
      join(saveSmallModel(join(root, "words")).partPath("text-encoder"), name),
    );
    folder.savePart("text-encoder", { config, weights, files });
    expect(() => EditModel.load(folder.path)).toThrow(DataError);
    expect(() => EditModel.load(folder.path)).toThrow(
      /reads words of 16 features, and the text-encoder there makes 24: take the/,
    );
  });

  test("says for which of its tasks it is guided, and is refused where there is no such task", () => {
    const { path } = saveSmallModel(join(root, "guided"));
    const guide = (textGuidance: Record<string, number>): void => {
      const sampling = { times: [999], temperature: 0, textGuidance };
      writeFileSync(join(path, "model.json"), JSON.stringify({ ...SMALL, sampling }));
    };
    guide({ add: 2 });
    expect(EditModel.load(path).defaults.textGuidance).toEqual({ add: 2 });
    guide({ add: 2, fly: 3 });
    expect(() => EditModel.load(path)).toThrow(DataError);
    expect(() => EditModel.load(path)).toThrow(
      /expected textGuidance of some of style, .*, got fly/,
    );
  });

  test("needs a description and every part of an image editor", () => {
    const nowhere = join(root, "nowhere");
    expect(() => EditModel.load(nowhere)).toThrow(UserError);
    expect(() => EditModel.load(nowhere)).toThrow(/found no model\.json there/);
  });
});

describe("without a video adapter a model", () => {
  const frameByFrame = EditModel.load(
    saveSmallModel(join(root, "frames"), { hasVideo: false }).path,
  );

  test("edits frames, in windows of eight, and says so when asked for more", () => {
    expect([frameByFrame.hasVideoAdapter, frameByFrame.window]).toEqual([false, 8]);
    const condition = frameByFrame.editCondition(texts, input);
    expect(frameByFrame.editTeacher().predict(xt, 400, condition).x0.shape).toEqual(xt.shape);
    for (const ask of [() => frameByFrame.stacked(), () => frameByFrame.videoTeacher()])
      expect(ask).toThrow(/has no video adapter: edit frame by frame, or train one/);
  });
});

describe("an alignment", () => {
  const condition = model.stackedCondition(texts, input, firstFrame);
  const load = (alignment: "fresh" | "trained"): EditModel =>
    EditModel.load(saveSmallModel(join(root, `aligned-${alignment}`), { alignment }).path);

  test("that has learned nothing leaves the stack as it is, bit for bit", () => {
    const fresh = load("fresh");
    expect(fresh.hasAlignment).toBe(true);
    const [aligned, stack] = [fresh.aligned(), fresh.stacked()].map(
      (denoiser) => denoiser.predict(xt, 400, condition).x0,
    );
    expect(largestDifference(aligned!, stack!)).toBe(0);
  });

  test("that has learned draws something else, records no graph, and leaves the stack as it is", () => {
    const trained = load("trained");
    const aligned = trained.aligned().predict(xt, 400, condition).x0;
    const stack = trained.stacked().predict(xt, 400, condition).x0;
    expect(largestDifference(aligned, stack)).toBeGreaterThan(1e-3);
    expect(aligned.requiresGrad).toBe(false);
    expect(largestDifference(stack, model.stacked().predict(xt, 400, condition).x0)).toBe(0);
    expect(trained.hash).not.toBe(model.hash);
  });

  test("may lie elsewhere", () => {
    const alignment = join(root, "aligned-trained", "alignment");
    expect(EditModel.load(model.path, { alignment }).hash).toBe(load("trained").hash);
  });

  test("that is missing is asked for with one sentence", () => {
    expect(model.hasAlignment).toBe(false);
    expect(() => model.aligned()).toThrow(UserError);
    expect(() => model.aligned()).toThrow(/no alignment: edit with its adapters stacked, or align/);
  });

  test("of other adapters is refused", () => {
    const other = saveSmallModel(join(root, "untrained"), { isTrained: false });
    const alignment = join(root, "aligned-trained", "alignment");
    expect(() => EditModel.load(other.path, { alignment })).toThrow(
      /was distilled from other adapters than those in .*untrained: distil again/,
    );
  });
});

describe("pictures", () => {
  const pixels = normal(Rng.seed(4), [17, 3, 32, 32]).clamp(-1, 1);

  test("become latents and latents pictures within [-1, 1], however many there are", () => {
    const latents = model.encode(pixels);
    expect(latents.shape).toEqual(model.latentShape(17));
    const last = model.encode(pixels.narrow(0, 16, 1));
    expect(relativeError(latents.narrow(0, 16, 1), last)).toBeLessThan(BF16_BATCHES);
    const drawn = model.decode(latents.mul(20));
    expect(drawn.shape).toEqual(pixels.shape);
    expect(drawn.abs().max().item()).toBeLessThanOrEqual(1);
    expect(latents.requiresGrad || drawn.requiresGrad).toBe(false);
  });
});

describe("a condition", () => {
  const nothing = model.captionCondition("").caption;
  const edit = model.editCondition(texts, input);
  const clip = model.videoCondition(texts.caption, firstFrame);
  const both = model.stackedCondition(texts, input, firstFrame);

  test("holds the words where the paper puts them", () => {
    const instruction = model.captionCondition(texts.instruction).caption;
    const caption = model.captionCondition(texts.caption).caption;
    for (const condition of [edit, both]) {
      expect(largestDifference(condition.instruction, instruction)).toBe(0);
      expect(largestDifference(condition.caption, caption)).toBe(0);
      expect([...condition.tasks.toFloat32Array()]).toEqual([2]);
    }
    expect(largestDifference(clip.caption, caption)).toBe(0);
    expect(largestDifference(caption, nothing)).toBeGreaterThan(0.1);
  });

  test("without its text keeps the picture and the task, and reads nothing", () => {
    for (const condition of [edit.withoutText(), both.withoutText()]) {
      expect(largestDifference(condition.caption, nothing)).toBe(0);
      expect(largestDifference(condition.instruction, nothing)).toBe(0);
      expect(largestDifference(condition.input, input)).toBe(0);
      expect([...condition.tasks.toFloat32Array()]).toEqual([2]);
    }
    expect(largestDifference(clip.withoutText().caption, nothing)).toBe(0);
    expect(clip.withoutText().firstFrame).toBe(firstFrame);
    expect(both.withoutText().firstFrame).toBe(firstFrame);
  });

  test("without its image keeps the text, and sees zeros and no first frame", () => {
    for (const condition of [edit.withoutImage(), both.withoutImage()]) {
      expect(condition.input.abs().max().item()).toBe(0);
      expect(largestDifference(condition.instruction, edit.instruction)).toBe(0);
    }
    expect(clip.withoutImage().firstFrame).toBeNull();
    expect(both.withoutImage().firstFrame).toBeNull();
    expect(largestDifference(clip.withoutImage().caption, clip.caption)).toBe(0);
  });

  test("loses both in either order, and the one it came from keeps all", () => {
    const [one, other] = [both.withoutText().withoutImage(), both.withoutImage().withoutText()];
    const stack = model.stacked();
    const [a, b] = [one, other].map((given) => stack.predict(xt, 400, given).x0);
    expect(largestDifference(a!, b!)).toBe(0);
    expect(largestDifference(stack.predict(xt, 400, both).x0, a!)).toBeGreaterThan(1e-3);
    expect(both.firstFrame).toBe(firstFrame);
    expect(largestDifference(both.input, input)).toBe(0);
  });

  test("names a task that the model does not have", () => {
    const ask = (): unknown => model.editCondition({ ...texts, task: "dance" }, input);
    expect(ask).toThrow(ConfigError);
    expect(ask).toThrow(/expected a task among style, .*texture, got "dance"/);
  });
});

describe("its networks", () => {
  test("with fresh adapters draw what the backbone draws alone, bit for bit", () => {
    const fresh = EditModel.load(saveSmallModel(join(root, "fresh"), { isTrained: false }).path);
    const alone = fresh.backbone().predict(xt, 400, fresh.captionCondition(texts.caption)).x0;
    const condition = fresh.stackedCondition(texts, input, firstFrame);
    expect(largestDifference(fresh.editTeacher().predict(xt, 400, condition).x0, alone)).toBe(0);
    expect(largestDifference(fresh.videoTeacher().predict(xt, 400, condition).x0, alone)).toBe(0);
    expect(largestDifference(fresh.stacked().predict(xt, 400, condition).x0, alone)).toBe(0);
  });

  test("answer at pure noise, where only the condition is left", () => {
    const condition = model.stackedCondition(texts, input, firstFrame);
    const { x0 } = model.stacked().predict(xt, 999, condition);
    expect(x0.square().mean().item()).toBeLessThan(Infinity);
    const unled = model.stacked().predict(xt, 999, condition.withoutImage()).x0;
    expect(largestDifference(x0, unled)).toBeGreaterThan(1e-3);
  });
});
