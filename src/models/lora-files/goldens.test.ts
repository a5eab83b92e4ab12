import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadSafetensors } from "../../engine/safetensors.ts";
import { Tensor } from "../../engine/tensor.ts";
import { mergeLoras, plainLayer, withLoras, type ApplyLayer } from "../../nn/lora.ts";
import { formulaInput } from "../../../test/support/formula-weights.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import { goldenLoras, goldenTextEncoder, goldenUNet } from "../../../test/support/golden-loras.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { readLoraContents } from "./contents.ts";
import { loadLora } from "./load.ts";
import { saveLora } from "./save.ts";

const folder = new URL("../../../test/golden/lora/", import.meta.url).pathname;
const stored = loadSafetensors(join(folder, "outputs.safetensors"));
const scratch = temporaryFolder();
const unet = goldenUNet();
const latent = formulaInput("latent", [1, 4, 8, 8]);
const text = formulaInput("text", [1, 5, 12]);
const ids = Tensor.from([62, 5, 17, 40, 63, 63], [1, 6], "int64");

function draw(lora: ApplyLayer = plainLayer, network = unet): Tensor {
  return network.forward(latent, Tensor.from([500], [1]), text, { lora });
}

// float32 on both sides; the order of summation differs between machines
const TOLERANCE = 1e-4;

/** How far `actual` is from the recorded answer `name`, by its largest value. */
function distance(actual: Tensor, name: string): number {
  const expected = stored.get(name)!;
  return largestDifference(actual, expected) / expected.abs().max().item();
}

const FILES = [
  { file: "ours.safetensors", dialects: ["diffusers"], unet: 62, textEncoder: 6 },
  { file: "peft/adapter_model.safetensors", dialects: ["PEFT"], unet: 45, textEncoder: 0 },
  { file: "diffusers.safetensors", dialects: ["diffusers"], unet: 33, textEncoder: 6 },
  { file: "lora-down.safetensors", dialects: ["diffusers lora.down"], unet: 12, textEncoder: 4 },
  {
    file: "attention-processors.safetensors",
    dialects: ["diffusers attention processors"],
    unet: 16,
    textEncoder: 6,
  },
  { file: "kohya.safetensors", dialects: ["kohya"], unet: 30, textEncoder: 4 },
];

describe.each(FILES)("$file", ({ file, dialects, unet: layers, textEncoder: textLayers }) => {
  const encoder = goldenTextEncoder();
  const path = join(folder, file);
  const name = /^[^./]+/.exec(file)![0];
  const loaded = loadLora(path, { unet, textEncoder: encoder });

  test("is recognised, and all of it is taken", () => {
    expect(loaded.contents.dialects).toEqual(dialects);
    expect([loaded.unet?.size ?? 0, loaded.textEncoder?.size ?? 0]).toEqual([layers, textLayers]);
    expect(loaded.unused).toEqual([]);
  });

  test("gives the U-Net the answer that diffusers gives with it", () => {
    expect(distance(draw(), `${name}.unet`)).toBeGreaterThan(0.1);
    expect(distance(draw(loaded.unet!.on(unet)), `${name}.unet`)).toBeLessThan(TOLERANCE);
  });

  test("gives it that answer merged, too", () => {
    const merged = goldenUNet();
    mergeLoras(merged, [{ lora: loaded.unet! }]);
    expect(distance(draw(plainLayer, merged), `${name}.unet`)).toBeLessThan(TOLERANCE);
    mergeLoras(merged, [{ lora: loaded.unet!, strength: -1 }]);
    expect(distance(draw(plainLayer, merged), "plain.unet")).toBeLessThan(TOLERANCE);
  });
});

const WITH_TEXT = FILES.filter(({ textEncoder }) => textEncoder > 0).map(({ file }) => file);

test.each(WITH_TEXT)("%s gives the text encoder the answer of transformers, merged", (file) => {
  const encoder = goldenTextEncoder();
  const name = file.replace(".safetensors", "");
  expect(distance(encoder.forward(ids), "plain.text")).toBeLessThan(TOLERANCE);
  expect(distance(encoder.forward(ids), `${name}.text`)).toBeGreaterThan(0.02);
  const { textEncoder: lora } = loadLora(join(folder, file), { unet, textEncoder: encoder });
  mergeLoras(encoder, [{ lora: lora! }]);
  expect(distance(encoder.forward(ids), `${name}.text`)).toBeLessThan(TOLERANCE);
});

test("two at once, each at its strength, give the answer that diffusers gives with both", () => {
  const load = (file: string) => loadLora(join(folder, `${file}.safetensors`), { unet }).unet!;
  const [one, other] = [load("lora-down"), load("attention-processors")];
  const loras = [
    { lora: one, strength: 0.8 },
    { lora: other, strength: -0.5 },
  ];
  expect(distance(draw(withLoras(unet, loras)), "two.unet")).toBeLessThan(TOLERANCE);
  expect(distance(draw(withLoras(unet, [loras[0]!])), "two.unet")).toBeGreaterThan(0.1);
});

describe("saveLora", () => {
  test("writes exactly the file that diffusers was given", () => {
    const path = join(scratch, "again.safetensors");
    const parts = goldenLoras(unet, goldenTextEncoder());
    saveLora(path, parts, { metadata: { open_eve: "golden" } });
    expect(readFileSync(path).equals(readFileSync(join(folder, "ours.safetensors")))).toBe(true);
  });

  test("writes what reads back as the same layers, ranks, alphas and values", () => {
    const path = join(scratch, "back.safetensors");
    const encoder = goldenTextEncoder();
    const parts = goldenLoras(unet, encoder);
    saveLora(path, parts);
    const loaded = loadLora(path, { unet, textEncoder: encoder });
    for (const [given, read] of [
      [parts.unet!.lora, loaded.unet!],
      [parts.textEncoder!.lora, loaded.textEncoder!],
    ] as const) {
      expect([...read.entries()].map(([key, { rank, alpha }]) => [key, rank, alpha])).toEqual(
        [...given.entries()].map(([key, { rank, alpha }]) => [key, rank, alpha]),
      );
      for (const [key, weight] of read.parameters())
        expect(largestDifference(weight, given.parameters().get(key)!)).toBe(0);
    }
  });

  test("keeps keys of one's own beside those of diffusers, in half precision where asked", () => {
    const path = join(scratch, "half.safetensors");
    const parts = { unet: goldenLoras(unet, goldenTextEncoder()).unet! };
    saveLora(path, parts, { metadata: { open_eve: "{}" }, dtype: "float16" });
    const { metadata, layers } = readLoraContents(path);
    expect(Object.keys(metadata).toSorted()).toEqual([
      "format",
      "lora_adapter_metadata",
      "open_eve",
    ]);
    expect(layers).toHaveLength(parts.unet.lora.size);
    const loaded = loadLora(path, { unet });
    const difference = largestDifference(draw(loaded.unet!.on(unet)), stored.get("ours.unet")!);
    // halves round by 0.0005 of each value
    expect(difference).toBeLessThan(0.02);
    expect(difference).toBeGreaterThan(0);
  });
});
