import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { BF16_NETWORK, relativeError } from "../../../test/support/difference.ts";
import { SMALL_AUTOENCODER } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { ConfigError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { Tensor } from "../../engine/tensor.ts";
import { Autoencoder } from "../../models/vae/autoencoder.ts";
import { toPixels } from "../pixels.ts";
import { renderFrame } from "../world/render.ts";
import { TASKS } from "../world/tasks.ts";
import { frameOf } from "./frame-number.ts";
import { editAt } from "./triplet-items.ts";
import {
  UneditedText,
  openDrawings,
  openUneditedClips,
  worldInputs,
  type UneditedSource,
} from "./unedited-clips.ts";
import { uneditedAt } from "./unedited-items.ts";

const source: UneditedSource = {
  folder: temporaryFolder(),
  autoencoder: new Autoencoder(Rng.seed(1), SMALL_AUTOENCODER),
  autoencoderHash: "abc",
  split: "validation",
  size: 32,
  frames: 3,
  count: 8,
};

describe("unedited clips", () => {
  test("are latents of a scene's frames with the words of an edit, tasks taking turns", async () => {
    const clips = await openUneditedClips(source);
    expect(Array.from({ length: 8 }, (_, i) => clips.text(i).task)).toEqual([...TASKS, TASKS[0]]);
    const { scene, task, instruction, outputCaption } = uneditedAt("validation", 5);
    expect(clips.text(5)).toEqual({ task, instruction, outputCaption });
    const frames = [0, 1, 2].map((f) => renderFrame(scene, frameOf(5) + f, 32));
    const wanted = source.autoencoder.latent(toPixels(frames, 32, 32));
    // stored as float16, and encoded in bf16 where that is faster
    const found = clips.gather("clip", [5]).select(0, 0);
    expect(relativeError(found, wanted)).toBeLessThan(BF16_NETWORK);
  });

  test("of another length, or of another split, are others", async () => {
    for (const own of [{}, { frames: 2 }, { split: "train" }] as const) {
      const { frames, split } = { ...source, ...own };
      const clips = await openUneditedClips({ ...source, count: 1, frames, split });
      expect(clips.gather("clip", [0]).shape.slice(0, 2)).toEqual([1, frames]);
      const { instruction } = uneditedAt(split, 0);
      expect(clips.text(0).instruction).toBe(instruction);
    }
    const scenes = (["train", "validation"] as const).flatMap((split) =>
      Array.from({ length: 70 }, (_, index) => JSON.stringify(uneditedAt(split, index).scene)),
    );
    expect(new Set(scenes).size).toBe(scenes.length);
    const others = [{}, { frames: 2 }, { split: "train" }, { size: 16 }] as const;
    const folders = others.map((own) =>
      worldInputs({ ...source, ...own }).folderFor("first-frames"),
    );
    expect(new Set(folders).size).toBe(folders.length);
  });

  test("hold no other picture and no other words", async () => {
    const clips = await openUneditedClips(source);
    expect(Object.keys(UneditedText.shape)).toEqual(["task", "instruction", "outputCaption"]);
    for (const name of ["after", "edited", "truth", "before"])
      expect(() => clips.gather(name, [0])).toThrow(TypeError);
  });

  test("are of scenes whose edited pictures no adapter was trained on", () => {
    for (const index of [0, 1, 6]) {
      const { instruction, outputCaption } = uneditedAt("train", index);
      expect(editAt("train", index)).not.toMatchObject({ instruction, outputCaption });
    }
    const scenes = (at: (index: number) => { scene: unknown }): Set<string> =>
      new Set(Array.from({ length: 70 }, (_, index) => JSON.stringify(at(index).scene)));
    const theirs = scenes((index) => editAt("train", index));
    const ours = scenes((index) => uneditedAt("train", index));
    expect([...ours].filter((scene) => theirs.has(scene))).toEqual([]);
  });

  test("of the test split cannot be asked for, neither by type nor at run time", async () => {
    // @ts-expect-error the split of a source is never the test split
    const forbidden: UneditedSource = { ...source, split: "test" };
    await expect(openUneditedClips(forbidden)).rejects.toThrow(ConfigError);
    await expect(openUneditedClips(forbidden)).rejects.toThrow(/belong to the evaluation/);
  });
});

describe("drawings of the teachers", () => {
  test("are made once for each clip, in the clips' order, and again by other teachers", async () => {
    const drawn: number[] = [];
    const draw = (indices: readonly number[]): Map<string, Tensor> => {
      drawn.push(...indices);
      const values = indices.flatMap((index) => [index, index + 0.5]);
      return new Map([["firstFrame", Tensor.from(values, [indices.length, 2, 1, 1])]]);
    };
    const plan = { what: "first frames", by: "teacher-1", shardSize: 64, draw };
    const own = { ...source, count: 70 };
    const frames = await openDrawings(worldInputs(own), plan);
    expect(frames.gather("firstFrame", [65, 3]).toFloat32Array()).toEqual(
      Float32Array.of(65, 65.5, 3, 3.5),
    );
    await openDrawings(worldInputs(own), plan);
    expect(drawn).toEqual(Array.from({ length: 70 }, (_, index) => index));
    await openDrawings(worldInputs({ ...own, count: 1 }), { ...plan, by: "teacher-2" });
    expect(drawn).toHaveLength(71);
  });
});

/** Every file that running `entry` loads, `entry` itself included; imports of types alone load nothing. */
function modulesLoadedBy(entry: string, found = new Set<string>()): Set<string> {
  if (found.has(entry)) return found;
  found.add(entry);
  const text = readFileSync(entry, "utf8");
  const imports =
    /(?:^|\n)(?:import|export)\s(?!type\s)[^;]*?from\s+"(\.[^"]+)"|import\(\s*"(\.[^"]+)"|new URL\("([^"]+\.ts)"/g;
  for (const [, from, later, thread] of text.matchAll(imports))
    modulesLoadedBy(join(dirname(entry), from ?? later ?? thread ?? ""), found);
  return found;
}

describe("the way of the data to distillation", () => {
  const root = join(import.meta.dirname, "../..");
  const loadedBy = (file: string): string[] =>
    [...modulesLoadedBy(join(root, file))].map((path) =>
      relative(root, path).replaceAll("\\", "/"),
    );
  const truth = /edited-scene|triplet|latents\.ts$|^evaluation\//;

  test("loads nothing that can draw an edited scene", () => {
    for (const file of [
      "data/caches/unedited-clips.ts",
      "data/inputs/prepared-clips.ts",
      "presets/own-inputs.ts",
      "training/stages/distillation.ts",
      "eve/distillation/distillation.ts",
    ]) {
      const loaded = loadedBy(file);
      expect(loaded).toContain("engine/tensor.ts");
      expect(loaded.filter((path) => truth.test(path))).toEqual([]);
    }
    expect(loadedBy("training/stages/distillation.ts")).toContain("data/caches/shards.ts");
  });

  test("would be seen if it did: the adapters' own data is drawn from edited scenes", () => {
    expect(loadedBy("data/caches/latents.ts")).toContain("data/world/edited-scene.ts");
  });
});
