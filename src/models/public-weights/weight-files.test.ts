import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DataError } from "../../engine/errors.ts";
import { saveSafetensors } from "../../engine/safetensors.ts";
import { Tensor } from "../../engine/tensor.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { openWeights } from "./weight-files.ts";

const root = temporaryFolder();
let count = 0;

/** A new folder with files of one tensor each: its value tells them apart. */
function folderOf(values: Readonly<Record<string, number>>): string {
  const folder = join(root, String(count++));
  mkdirSync(folder);
  for (const [name, value] of Object.entries(values))
    saveSafetensors(join(folder, name), new Map([["w", Tensor.scalar(value)]]));
  return folder;
}

const valueIn = (folder: string, variant?: string): number =>
  openWeights(folder, variant).tensors.get("w")!.item();

describe("openWeights chooses", () => {
  const both = folderOf({
    "diffusion_pytorch_model.safetensors": 1,
    "diffusion_pytorch_model.fp16.safetensors": 2,
    "diffusion_pytorch_model.non_ema.safetensors": 3,
  });

  test("the plain file unless a variant is preferred", () => {
    expect(valueIn(both)).toBe(1);
    expect(valueIn(both, "fp16")).toBe(2);
    expect(valueIn(both, "non_ema")).toBe(3);
  });

  test("the plain file where there is none of the preferred variant", () => {
    expect(valueIn(both, "bf16")).toBe(1);
    expect(openWeights(both, "bf16").files).toEqual([
      join(both, "diffusion_pytorch_model.safetensors"),
    ]);
  });

  test("fp16 where there is nothing else, but no other variant by itself", () => {
    expect(valueIn(folderOf({ "model.fp16.safetensors": 4 }))).toBe(4);
    expect(() => valueIn(folderOf({ "model.non_ema.safetensors": 5 }))).toThrow(
      /found only model.non_ema.safetensors/,
    );
  });

  test("transformers' name as well, and a file by its own path", () => {
    const folder = folderOf({ "model.safetensors": 6 });
    expect(valueIn(folder)).toBe(6);
    expect(valueIn(join(folder, "model.safetensors"))).toBe(6);
  });

  test("nothing that is no safetensors", () => {
    const folder = folderOf({});
    expect(() => openWeights(folder)).toThrow(/found no weights; other formats are not read/);
    writeFileSync(join(folder, "diffusion_pytorch_model.bin"), "pickle");
    expect(() => openWeights(folder)).toThrow(/found only diffusion_pytorch_model.bin/);
    expect(() => openWeights(join(root, "nowhere"))).toThrow(DataError);
  });

  test("no link to a file that is gone, and no folder", () => {
    const folder = folderOf({});
    const path = join(folder, "model.safetensors");
    symlinkSync(join(folder, "blob"), path);
    expect(() => openWeights(folder)).toThrow(
      new DataError(`${path}: expected weights, got a link to a file that is gone: fetch it again`),
    );
    mkdirSync(join(folder, "blob"));
    expect(() => openWeights(folder)).toThrow(
      new DataError(`${path}: expected a safetensors file, got a folder of that name`),
    );
  });
});

describe("openWeights with an index", () => {
  const shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] as const;

  /** Two shards, `a` and `b` in the first, `c` in the second, and the index given. */
  function sharded(weightMap: unknown, name = "model.safetensors.index.json"): string {
    const folder = folderOf({});
    const one = Tensor.scalar(1);
    saveSafetensors(
      join(folder, shards[0]),
      new Map([
        ["a", one],
        ["b", one],
      ]),
    );
    saveSafetensors(join(folder, shards[1]), new Map([["c", one.mul(3)]]));
    const index = { metadata: { total_size: 12 }, weight_map: weightMap };
    writeFileSync(join(folder, name), JSON.stringify(index));
    return folder;
  }
  const right = { a: shards[0], b: shards[0], c: shards[1] };

  test("joins the files", () => {
    const folder = sharded(right);
    const { tensors, files, path } = openWeights(folder);
    expect([...tensors.keys()].toSorted()).toEqual(["a", "b", "c"]);
    expect(tensors.get("c")!.item()).toBe(3);
    expect(files).toEqual(shards.map((shard) => join(folder, shard)));
    expect(path).toBe(join(folder, "model.safetensors.index.json"));
  });

  test("finds the index of a variant under either name", () => {
    for (const name of ["model.safetensors.index.fp16.json", "model.fp16.safetensors.index.json"])
      expect(openWeights(sharded(right, name), "fp16").tensors.size).toBe(3);
  });

  test.each([
    [
      "a tensor that its file lacks",
      { ...right, d: shards[1] },
      /expected d in .*00002-of.*no such/,
    ],
    ["a tensor in the wrong file", { ...right, b: shards[1] }, /expected b in|holds b/],
    [
      "a file with more than it says",
      { a: shards[0], c: shards[1] },
      /holds b, which the index does not/,
    ],
    [
      "a file that is not there",
      { ...right, d: "model-00003-of-00003.safetensors" },
      /1 of its 3 files are missing \(model-00003/,
    ],
    [
      "a path that leaves the folder",
      { ...right, c: `../0/${shards[1]}` },
      /in the same folder, got "\.\.\/0/,
    ],
    ["an absolute path", { ...right, c: `/tmp/${shards[1]}` }, /in the same folder/],
    [
      "a name that no disk holds",
      { ...right, c: `${"x".repeat(100_000)}.safetensors` },
      /^.{0,300}in the same folder, got "x{100}"$/,
    ],
    ["a file of another format", { ...right, c: "model.bin" }, /names of safetensors files/],
    ["no map of names to files", { a: 1 }, /weight_map/],
  ])("refuses %s", (_, weightMap, message) => {
    const folder = sharded(weightMap);
    expect(() => openWeights(folder)).toThrow(DataError);
    expect(() => openWeights(folder)).toThrow(message);
  });

  test("refuses an index that is no JSON", () => {
    const folder = sharded(right);
    writeFileSync(join(folder, "model.safetensors.index.json"), "{");
    expect(() => openWeights(folder)).toThrow(/expected JSON, got a file that is not/);
  });
});
