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

test("a LoRA file is recognised: form, layers, ranks, alphas, targets", async () => {
  const path = new URL("../../test/golden/lora/kohya.safetensors", import.meta.url).pathname;
  const { events, text } = await describe(path);
  const { targets, ...lora } = events.find(({ type }) => type === "lora")!;
  expect(lora).toEqual({
    type: "lora",
    dialects: ["kohya"],
    layers: { unet: 30, textEncoder: 4 },
    convolutions: 10,
    ranks: { 2: 18, 3: 8, 4: 8 },
    alphas: { 1: 2, 1.5: 22, 2: 2, 4: 8 },
    fault: null,
  });
  expect(targets).toMatchObject({ conv1: 6, attn1_to_out_0: 2, ff_net_0_proj: 2, mlp_fc1: 2 });
  expect(text).toMatch(/LoRA in the form of kohya\n {2}layers +30 of a U-Net, 4 of a text encoder/);
  expect(text).toMatch(/\n {2}rank +2 \(18 layers\), 3 \(8\), 4 \(8\)\n/);
  expect((await describe(path.replace("kohya", "diffusers"))).text).toMatch(
    /alpha +6 \(33 layers\), 4 \(6\)\n {2}targets +attn1\.to_k \(4 layers\)/,
  );
});

/** A LoRA file of one layer of rank 1, with an origin. */
function loraBytes(origin: unknown): Buffer {
  const header = JSON.stringify({
    __metadata__: { open_eve: JSON.stringify(origin) },
    "unet.conv_in.lora_A.weight": { dtype: "F16", shape: [1, 2, 1, 1], data_offsets: [0, 4] },
    "unet.conv_in.lora_B.weight": { dtype: "F16", shape: [2, 1, 1, 1], data_offsets: [4, 8] },
  });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(8)]);
}

test.each([
  [{ videoStrength: 0.25 }, /\n {2}video adapter +heard at 0\.25\n?$/],
  [
    { videoStrength: { convIn: -0.25, "up.0": 1, beside: 0.75 } },
    /\n {2}video adapter +heard at 0\.50 on average, -0\.25 to 1\.00 at 3 places\n?$/,
  ],
  [
    { editStrength: { states: 0.5, output: 1 } },
    /\n {2}edit adapter +heard at 0\.75 on average, 0\.50 to 1\.00 at 2 places\n?$/,
  ],
])(
  "a LoRA file of an alignment tells how strongly it hears an adapter: %j",
  async (origin, line) => {
    await using folder = await modelFolder();
    const path = join(folder.path, "aligned.safetensors");
    await writeFile(path, loraBytes(origin));
    const { events, text } = await describe(path);
    expect(events.find(({ type }) => type === "lora")).toMatchObject(origin);
    expect(text).toMatch(line);
  },
);

test("an adapter that cannot be loaded says why", async () => {
  await using folder = await modelFolder();
  const path = join(folder.path, "loha.safetensors");
  const bytes = weights();
  const name = "lora_unet_a.hada_w1_a";
  const header = bytes.toString("latin1").replace("conv.weight", name);
  const file = Buffer.from(header, "latin1");
  file.writeBigUInt64LE(bytes.readBigUInt64LE() + BigInt(name.length - "conv.weight".length));
  await writeFile(path, file);
  const { events, text } = await describe(path);
  expect(events.find(({ type }) => type === "lora")).toMatchObject({
    layers: { unet: 0, textEncoder: 0 },
  });
  expect(text).toMatch(/\nadapter\n {2}cannot be loaded: .* of the kind LoHa/);
});
