import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { DataError, UserError } from "../engine/errors.ts";
import { describe } from "./inspection.ts";

/** A file of two half-precision tensors, 2 × 3 and 4 elements. */
function weights(): Buffer {
  const header = JSON.stringify({
    __metadata__: { format: "pt" },
    "conv.weight": { dtype: "F16", shape: [2, 3], data_offsets: [0, 12] },
    "conv.bias": { dtype: "F16", shape: [4], data_offsets: [12, 20] },
  });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(20)]);
}

async function modelFolder() {
  const folder = await mkdtempDisposable(join(tmpdir(), "eve-inspect-"));
  await writeFile(join(folder.path, "unet.safetensors"), weights());
  await writeFile(join(folder.path, "config.json"), JSON.stringify({ preset: "tiny", steps: [1] }));
  return folder;
}

test("a folder shows its weight files, their sum and the fields of its records", async () => {
  await using folder = await modelFolder();
  const { events, text } = await describe(folder.path);
  expect(events).toEqual([
    {
      type: "file",
      path: "unet.safetensors",
      bytes: weights().length,
      tensors: 2,
      parameters: 10,
      dtypes: ["F16"],
      metadata: { format: "pt" },
    },
    { type: "record", path: "config.json", content: { preset: "tiny", steps: [1] } },
  ]);
  expect(text).toMatch(/unet\.safetensors +2 +10 +\d+ B {2}F16\nin all/);
  expect(text).toMatch(/config\.json\n {2}preset +"tiny"\n {2}steps +\[1\]/);
});

test("a weight file shows every tensor", async () => {
  await using folder = await modelFolder();
  const { events, text } = await describe(join(folder.path, "unet.safetensors"));
  expect(events.slice(1)).toEqual([
    { type: "tensor", name: "conv.weight", dtype: "F16", shape: [2, 3], parameters: 6 },
    { type: "tensor", name: "conv.bias", dtype: "F16", shape: [4], parameters: 4 },
  ]);
  expect(text).toMatch(/conv\.weight +F16 +\[2 3\] +6\n/);
});

test("what cannot be described is refused with a sentence", async () => {
  await using folder = await modelFolder();
  const inside = (name: string) => join(folder.path, name);
  await writeFile(inside("broken.safetensors"), weights().subarray(0, 100));
  await writeFile(inside("notes.txt"), "");
  await expect(describe(inside("missing"))).rejects.toThrow(UserError);
  await expect(describe(inside("notes.txt"))).rejects.toThrow(/neither a folder nor/);
  await expect(describe(inside("broken.safetensors"))).rejects.toThrow(DataError);
  await writeFile(inside("config.json"), "{");
  await expect(describe(folder.path)).rejects.toThrow(DataError);
});
