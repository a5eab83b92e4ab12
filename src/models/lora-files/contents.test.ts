import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DataError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { saveSafetensors } from "../../engine/safetensors.ts";
import { Tensor } from "../../engine/tensor.ts";
import { resolveUNetConfig } from "../unet/config.ts";
import { isTransformerLinear, UNet } from "../unet/unet.ts";
import { uninitialised } from "../../nn/init.ts";
import { Conv2d } from "../../nn/conv.ts";
import { adaptedLayers, Lora, type AdaptedLayer } from "../../nn/lora.ts";
import { listedNames } from "../../../test/support/public-names.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { VERY_SMALL_UNET } from "../../../test/support/very-small-unet.ts";
import { isLoraFile, readLoraContents } from "./contents.ts";
import { loadLora } from "./load.ts";
import { parseName } from "./names.ts";
import { layerFinder } from "./public-layers.ts";
import { saveLora } from "./save.ts";

const folder = temporaryFolder();
const unet = new UNet(Rng.seed(1), VERY_SMALL_UNET);
/** A layer of that network, `[16 16]`, in the forms that files have for it. */
const LAYER = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q";
const KOHYA = `lora_unet_${LAYER.replaceAll(".", "_")}`;

let files = 0;
type Shapes = Readonly<Record<string, readonly number[] | Tensor>>;

/** A file of tensors of ones, or of those given. */
function fileOf(shapes: Shapes, metadata: Readonly<Record<string, string>> = {}): string {
  const path = join(folder, `${files++}.safetensors`);
  const tensors = Object.entries(shapes).map(([name, given]) => {
    return [name, given instanceof Tensor ? given : Tensor.ones(given)] as const;
  });
  saveSafetensors(path, new Map(tensors), { metadata });
  return path;
}

const pair = (a = "lora_A", b = "lora_B", layer = `unet.${LAYER}`): Shapes => ({
  [`${layer}.${a}.weight`]: [4, 16],
  [`${layer}.${b}.weight`]: [16, 4],
});
const kohyaPair = pair("lora_down", "lora_up", KOHYA);

describe("the names of tensors", () => {
  const layer = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_out.0";
  test.each([
    [`base_model.model.${layer}.lora_A.weight`, "PEFT"],
    [`base_model.model.unet.${layer}.lora_A.default.weight`, "PEFT"],
    [`unet.${layer}.lora_A.weight`, "diffusers"],
    [`${layer}.lora_A.weight`, "diffusers"],
    [`unet.${layer}.lora.down.weight`, "diffusers lora.down"],
    [
      `unet.${layer.replace("to_out.0", "processor.to_out_lora.down.weight")}`,
      "diffusers attention processors",
    ],
    [
      layer.replace("to_out.0", "processor.to_out_lora.down.weight"),
      "diffusers attention processors",
    ],
  ])("%s is A of a layer of the U-Net", (name, dialect) => {
    expect(parseName(name)).toEqual({ type: "down", component: "unet", layer, dialect });
  });

  test.each([
    ["text_encoder.text_model.encoder.layers.3.self_attn.q_proj.lora_B.weight", "."],
    ["text_encoder.text_model.encoder.layers.3.self_attn.q_proj.lora_linear_layer.up.weight", "."],
    ["text_encoder.text_model.encoder.layers.3.self_attn.to_q_lora.up.weight", "."],
    ["base_model.model.text_model.encoder.layers.3.self_attn.q_proj.lora_B.weight", "."],
    ["lora_te_text_model_encoder_layers_3_self_attn_q_proj.lora_up.weight", "_"],
    ["lora_te1_text_model_encoder_layers_3_self_attn_q_proj.lora_up.weight", "_"],
  ])("%s is B of a layer of the text encoder", (name, dot) => {
    const query = "text_model.encoder.layers.3.self_attn.q_proj";
    expect(parseName(name)).toMatchObject({
      type: "up",
      component: "textEncoder",
      layer: query.replaceAll(".", dot),
    });
  });

  test.each([
    "unet.conv_in.weight",
    "text_encoder_2.text_model.encoder.layers.0.self_attn.q_proj.lora_A.weight",
    "lora_te2_text_model_encoder_layers_0_self_attn_q_proj.lora_up.weight",
    "transformer.blocks.0.attn.to_q.lora_A.weight",
    `unet.${layer}.lora_B.bias`,
  ])("%s is not known", (name) => {
    expect(parseName(name)).toEqual({ type: "unknown" });
  });

  test("of any adapter make a file one, those of a network do not", () => {
    expect(isLoraFile([`${KOHYA}.lora_down.weight`, "else"])).toBe(true);
    expect(isLoraFile([`${KOHYA}.hada_w1_a`])).toBe(true);
    expect(isLoraFile(["unet.conv_in.weight", "mixer.alpha", "conv_in.alpha"])).toBe(false);
  });
});

describe("the layers of Stable Diffusion 1.5", () => {
  const full = uninitialised(() => new UNet(Rng.seed(0), resolveUNetConfig({})));
  const find = layerFinder("unet", full);

  test("are found by their names in every file, with dots and with underscores", () => {
    const weights = listedNames("unet/names-sd15.tsv")
      .map((line) => line.split("\t"))
      .filter(([name, sizes]) => name!.endsWith(".weight") && sizes!.includes(","));
    expect(weights).toHaveLength(282);
    expect(adaptedLayers(full).size).toBe(282);
    for (const [name, sizes] of weights) {
      const layer = name!.replace(/\.weight$/, "");
      for (const spelt of [layer, layer.replaceAll(".", "_")])
        expect(find(spelt)?.layer.weight.shape.join(), spelt).toBe(sizes);
    }
  });
});

describe("a LoRA of Stable Diffusion 1.5", () => {
  test.each([
    [(path: string) => /\.attn[12]\./.test(path), ["to_k", "to_out.0", "to_q", "to_v"]],
    [isTransformerLinear, ["net.2", "proj", "to_k", "to_out.0", "to_q", "to_v"]],
    [(path: string) => /attn2\.to[KV]/.test(path), ["attn2.to_k", "attn2.to_v"]],
    [
      (path: string) => /midBlock.*attn1\.toQ/.test(path),
      ["mid_block.attentions.0.transformer_blocks.0.attn1.to_q"],
    ],
    [
      (path: string, layer: AdaptedLayer) => layer instanceof Conv2d && path.includes("onv"),
      ["conv", "conv1", "conv2", "conv_in", "conv_out", "conv_shortcut"],
    ],
  ])("names its targets as shortly as no other layer is named", (targets, expected) => {
    const network = uninitialised(() => new UNet(Rng.seed(0), resolveUNetConfig({})));
    const lora = uninitialised(() => new Lora(Rng.seed(0), network, { rank: 1, targets }));
    const path = join(folder, `${files++}.safetensors`);
    saveLora(path, { unet: { lora, network } }, { dtype: "bfloat16" });
    const text = readLoraContents(path).metadata["lora_adapter_metadata"]!;
    expect(JSON.parse(text)).toEqual({
      "unet.alpha_pattern": {},
      "unet.lora_alpha": 1,
      "unet.peft_type": "LORA",
      "unet.r": 1,
      "unet.rank_pattern": {},
      "unet.target_modules": expected,
    });
  });

  test("is refused where there is none to write", () => {
    expect(() => saveLora(join(folder, "none.safetensors"), {})).toThrow(
      "expected a LoRA to write, got none",
    );
  });
});

describe("alpha", () => {
  const contents = (shapes: Shapes, metadata = {}) =>
    readLoraContents(fileOf(shapes, metadata)).layers.map(({ rank, alpha }) => [rank, alpha]);
  const settings = (values: object): Record<string, string> => ({
    lora_adapter_metadata: JSON.stringify(
      Object.fromEntries(Object.entries(values).map(([key, value]) => [`unet.${key}`, value])),
    ),
  });

  test("is the rank where the file is silent, and where it says zero", () => {
    expect(contents(kohyaPair)).toEqual([[4, 4]]);
    expect(contents({ ...kohyaPair, [`${KOHYA}.alpha`]: Tensor.scalar(0) })).toEqual([[4, 4]]);
    expect(contents(pair())).toEqual([[4, 4]]);
  });

  test.each(["float16", "bfloat16", "float32", "float64", "int64", "int32"] as const)(
    "is the file's own number, as %s",
    (dtype) => {
      const alpha = Tensor.from([6], [1], dtype);
      expect(contents({ ...kohyaPair, [`${KOHYA}.alpha`]: alpha })).toEqual([[4, 6]]);
      const scalar = alpha.reshape([]);
      expect(contents({ ...kohyaPair, [`${KOHYA}.alpha`]: scalar })).toEqual([[4, 6]]);
    },
  );

  test("is that of the settings, for the layers that they name", () => {
    expect(contents(pair(), settings({ r: 4, lora_alpha: 2 }))).toEqual([[4, 2]]);
    const pattern = (key: string) => settings({ lora_alpha: 2, alpha_pattern: { [key]: 7 } });
    expect(contents(pair(), pattern("to_q"))).toEqual([[4, 7]]);
    expect(contents(pair(), pattern("attn1.to_q"))).toEqual([[4, 7]]);
    expect(contents(pair(), pattern(`^${LAYER}`))).toEqual([[4, 7]]);
    expect(contents(pair(), pattern("^attn1.to_q"))).toEqual([[4, 2]]);
    expect(contents(pair(), pattern("o_q"))).toEqual([[4, 2]]);
    // the settings of another component are not its own
    const other = { lora_adapter_metadata: JSON.stringify({ "text_encoder.lora_alpha": 2 }) };
    expect(contents(pair(), other)).toEqual([[4, 4]]);
  });

  test("grows by √rank where the settings say rank-stabilised", () => {
    expect(contents(pair(), settings({ lora_alpha: 3, use_rslora: true }))).toEqual([[4, 6]]);
  });

  test("comes from PEFT's own settings beside the file", () => {
    const beside = join(folder, "adapter_config.json");
    writeFileSync(beside, JSON.stringify({ peft_type: "LORA", r: 4, lora_alpha: 16 }));
    expect(contents(pair("lora_A", "lora_B", `base_model.model.${LAYER}`))).toEqual([[4, 16]]);
    expect(contents(pair())).toEqual([[4, 4]]);
    writeFileSync(beside, JSON.stringify({ peft_type: "LOHA" }));
    expect(() => contents(pair("lora_A", "lora_B", `base_model.model.${LAYER}`))).toThrow(
      /adapter_config\.json is of kind LOHA: only LoRA can be read/,
    );
  });

  test.each([
    ["{", /expected JSON/],
    ["[]", /expected an object/],
    ['{"unet.r": "four"}', /no settings of a LoRA/],
    ['{"unet.use_dora": true}', /is of kind DORA/],
    ['{"unet.alpha_pattern": {"attn.*": 2}}', /expected names of layers .* got "attn\.\*"/],
  ])("is refused where the settings are %s", (text, message) => {
    const path = fileOf(pair(), { lora_adapter_metadata: text });
    expect(() => readLoraContents(path)).toThrow(DataError);
    expect(() => readLoraContents(path)).toThrow(message);
  });

  test("is refused where it is no number", () => {
    const path = fileOf({ ...kohyaPair, [`${KOHYA}.alpha`]: [2] });
    expect(() => readLoraContents(path)).toThrow(/expected one number as .*alpha, got F32 \[2\]/);
    const notANumber = Tensor.from([Number.NaN], [], "float32");
    const other = fileOf({ ...kohyaPair, [`${KOHYA}.alpha`]: notANumber });
    expect(() => readLoraContents(other)).toThrow(/expected a number in .*alpha, got NaN/);
  });
});

describe("loadLora", () => {
  const load = (shapes: Shapes) => () => loadLora(fileOf(shapes), { unet });

  test.each([
    ["DoRA", { ...kohyaPair, [`${KOHYA}.dora_scale`]: [16] }],
    ["DoRA", { ...pair(), [`unet.${LAYER}.lora_magnitude_vector`]: [16] }],
    ["LoKr", { [`${KOHYA}.lokr_w1`]: [4, 4], [`${KOHYA}.lokr_w2`]: [4, 4] }],
    ["LoHa", { [`${KOHYA}.hada_w1_a`]: [16, 4] }],
    ["OFT", { [`${KOHYA}.oft_blocks`]: [2, 2] }],
    ["LoCon in Tucker form", { ...kohyaPair, [`${KOHYA}.lora_mid.weight`]: [4, 4] }],
  ])("refuses %s by its name", (kind, shapes) => {
    expect(load(shapes)).toThrow(DataError);
    expect(load(shapes)).toThrow(`is an adapter of the kind ${kind} (`);
  });

  test("lists every name that it does not know, and halves without their other half", () => {
    const [a, b] = [`${KOHYA}.lora_down.weight`, `unet.${LAYER}.lora_B.weight`];
    expect(load({ [a]: [4, 16], "clip.bias": [1], "lora_te2_x.lora_up.weight": [1, 1] })).toThrow(
      `not these (3): clip.bias, lora_te2_x.lora_up.weight, ${a}`,
    );
    expect(load({ [b]: [16, 4] })).toThrow(`not these (1): ${b}`);
    expect(load({ ...pair(), [`unet.${LAYER}.lora_A.z.weight`]: [4, 16] })).toThrow(
      `not these (1): unet.${LAYER}.lora_A.z.weight`,
    );
  });

  test("lists every layer that the network has not, and every misfit, in one sentence", () => {
    const shapes = {
      ...pair(),
      ...pair("lora_A", "lora_B", "unet.down_blocks.7.attentions.0.proj_in"),
      ...pair("lora_A", "lora_B", "unet.mid_block.attentions.0.proj_out"),
      ...pair("lora_A", "lora_B", "unet.mid_block.resnets.0.conv1"),
      ...pair("lora_A", "lora_B", "unet.mid_block.motion_modules.0.to_q"),
    };
    expect(load(shapes)).toThrow(
      /is for another U-Net: it names layers that it has not \(2\): down_blocks\.7\.attentions\.0\.proj_in, mid_block\.motion_modules\.0\.to_q; updates that do not fit \(1\): mid_block\.resnets\.0\.conv1 has A \[4 16\] and B \[16 4\] for a weight of \[16 16 3 3\]$/,
    );
  });

  test("names a few of many, and how many there are", () => {
    const many = Array.from({ length: 9 }, (_, at) =>
      pair("lora_A", "lora_B", `unet.down_blocks.${at + 20}.attentions.0.proj_in`),
    );
    expect(load(Object.assign({}, ...many))).toThrow(
      /it has not \(9\): down_blocks\.20[^:]* and 3 more$/,
    );
  });

  test("knows a LoRA of motion modules", () => {
    const name = "unet.mid_block.motion_modules.0.to_q";
    expect(load(pair("lora_A", "lora_B", name))).toThrow(/is a LoRA of AnimateDiff's motion/);
  });

  test("refuses values that are no numbers, and whole ones", () => {
    const [a, b] = [`${KOHYA}.lora_down.weight`, `${KOHYA}.lora_up.weight`];
    const broken = { [a]: Tensor.full([4, 16], Number.NaN), [b]: [16, 4] };
    expect(load(broken)).toThrow(/lora_down\.weight holds what is no finite number/);
    const whole = { [a]: Tensor.ones([4, 16]).to("int64"), [b]: [16, 4] };
    expect(load(whole)).toThrow(/expected .*lora_down\.weight in floating point, got I64/);
  });

  test("refuses a layer that is named in two spellings", () => {
    expect(load({ ...pair(), ...kohyaPair })).toThrow(/it names layers twice \(1\): mid_block/);
  });

  test("takes a matrix for a convolution of single places, and the reverse", () => {
    const single = "unet.mid_block.attentions.0.proj_in";
    const [lora] = [loadLora(fileOf(pair("lora_A", "lora_B", single)), { unet }).unet!];
    expect(lora.get("midBlock.attentions.0.projIn")!.down.shape).toEqual([4, 16, 1, 1]);
    const [a, b] = [`unet.${LAYER}.lora_A.weight`, `unet.${LAYER}.lora_B.weight`];
    const other = loadLora(fileOf({ [a]: [4, 16, 1, 1], [b]: [16, 4, 1, 1] }), { unet }).unet!;
    const path = "midBlock.attentions.0.transformerBlocks.0.attn1.toQ";
    expect(other.get(path)!.up.shape).toEqual([16, 4]);
  });

  test("reports the layers of a text encoder where none is given", () => {
    const layer = "text_model.encoder.layers.0.mlp.fc1";
    const loaded = loadLora(
      fileOf({ ...pair(), ...pair("lora_A", "lora_B", `text_encoder.${layer}`) }),
      { unet },
    );
    expect([loaded.unet?.size, loaded.textEncoder, loaded.unused]).toEqual([1, null, [layer]]);
  });

  test("refuses a file without any LoRA, and a broken update", () => {
    expect(load({})).toThrow(/holds no LoRA/);
    const broken = { [`${KOHYA}.lora_down.weight`]: [4], [`${KOHYA}.lora_up.weight`]: [16, 4] };
    expect(load(broken)).toThrow(/expected .*lora_down\.weight as \[rank inputs\], got \[4\]/);
  });
});
