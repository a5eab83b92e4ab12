import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { setDefaultDevice } from "../../engine/device.ts";
import { ConfigError, DataError } from "../../engine/errors.ts";
import { Rng, normal } from "../../engine/random.ts";
import { loadSafetensors, saveSafetensors } from "../../engine/safetensors.ts";
import { Tensor } from "../../engine/tensor.ts";
import { unallocated } from "../../nn/init.ts";
import type { Module } from "../../nn/module.ts";
import { largestDifference } from "../../../test/support/difference.ts";
import { listedNames, namesOf } from "../../../test/support/public-names.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { useVirtualDevice, VIRTUAL_DEVICE } from "../../../test/support/virtual-device.ts";
import type { ControlNet } from "../controlnet/controlnet.ts";
import { publicWeights } from "../public-weights/layout.ts";
import {
  AUTOENCODER,
  CONTROLNET,
  MOTION_ADAPTER,
  SPARSE_CONTROLNET,
  TEXT_ENCODER,
  UNET,
  openNetwork,
  type PublicKind,
} from "./networks.ts";
import { openWeights } from "../public-weights/weight-files.ts";

const small = new URL("../../../test/golden/pipeline/small-sd/", import.meta.url).pathname;

/** What the repositories' config.json files say, but for settings that are the defaults everywhere. */
const UNET_CONFIG = {
  _class_name: "UNet2DConditionModel",
  attention_head_dim: 8,
  block_out_channels: [320, 640, 1280, 1280],
  cross_attention_dim: 768,
  down_block_types: [...Array.from({ length: 3 }, () => "CrossAttnDownBlock2D"), "DownBlock2D"],
  in_channels: 4,
  layers_per_block: 2,
  up_block_types: ["UpBlock2D", ...Array.from({ length: 3 }, () => "CrossAttnUpBlock2D")],
};
const { up_block_types: _, ...encoderConfig } = UNET_CONFIG;
const CONTROLNET_CONFIG = {
  ...encoderConfig,
  _class_name: "ControlNetModel",
  conditioning_embedding_out_channels: [16, 32, 96, 256],
  controlnet_conditioning_channel_order: "rgb",
  global_pool_conditions: false,
};
const VAE_CONFIG = {
  _class_name: "AutoencoderKL",
  block_out_channels: [128, 256, 512, 512],
  down_block_types: Array.from({ length: 4 }, () => "DownEncoderBlock2D"),
  up_block_types: Array.from({ length: 4 }, () => "UpDecoderBlock2D"),
  layers_per_block: 2,
};
const TEXT_CONFIG = {
  architectures: ["CLIPTextModel"],
  hidden_size: 768,
  intermediate_size: 3072,
  num_attention_heads: 12,
  num_hidden_layers: 12,
  vocab_size: 49408,
};

const MOTION_CONFIG = { _class_name: "MotionAdapter", use_motion_mid_block: false };
const SPARSE_CONFIG = {
  ...encoderConfig,
  _class_name: "SparseControlNetModel",
  down_block_types: [
    ...Array.from({ length: 3 }, () => "CrossAttnDownBlockMotion"),
    "DownBlockMotion",
  ],
  use_simplified_condition_embedding: true,
};

const MOTION_1_CONFIG = { ...MOTION_CONFIG, motion_max_seq_length: 24 };
const MOTION_2_CONFIG = { ...MOTION_CONFIG, use_motion_mid_block: true };
const IP2P_CONFIG = { ...UNET_CONFIG, in_channels: 8 };
const kinds: readonly [string, PublicKind<Module>, object, string, number][] = [
  ["Stable Diffusion 1.5's U-Net", UNET, UNET_CONFIG, "unet/names-sd15.tsv", 859_520_964],
  ["InstructPix2Pix's U-Net", UNET, IP2P_CONFIG, "unet/names-ip2p.tsv", 859_532_484],
  ["its ControlNet", CONTROLNET, CONTROLNET_CONFIG, "unet/names-controlnet-sd15.tsv", 361_279_120],
  ["AnimateDiff v1", MOTION_ADAPTER, MOTION_1_CONFIG, "motion/names-motion-v1.tsv", 417_560_000],
  ["AnimateDiff v2", MOTION_ADAPTER, MOTION_2_CONFIG, "motion/names-motion-v2.tsv", 453_813_440],
  ["AnimateDiff v3", MOTION_ADAPTER, MOTION_CONFIG, "motion/names-motion-v3.tsv", 417_700_800],
  [
    "SparseCtrl-RGB",
    SPARSE_CONTROLNET,
    SPARSE_CONFIG,
    "motion/names-sparsectrl-rgb.tsv",
    496_956_160,
  ],
  ["its autoencoder", AUTOENCODER, VAE_CONFIG, "vae/names-sd15.tsv", 83_653_863],
  ["its text encoder", TEXT_ENCODER, TEXT_CONFIG, "text-encoder/names-sd15.tsv", 123_060_480],
];

test.each(kinds)(
  "built from its public config, %s has exactly the public names and shapes",
  (...kind) => {
    const [, { build, layout }, config, list, count] = kind;
    const network = unallocated(() => build(config));
    expect(namesOf(publicWeights(network, layout))).toEqual(listedNames(list));
    expect(network.parameterCount()).toBe(count);
  },
);

describe("openNetwork", () => {
  /** A copy of one part of the small pipeline, with other settings. */
  function changed(part: string, change: object): string {
    const folder = join(temporaryFolder(), part);
    mkdirSync(folder);
    cpSync(join(small, part), folder, { recursive: true });
    const config: unknown = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
    writeFileSync(join(folder, "config.json"), JSON.stringify(Object.assign({}, config, change)));
    return folder;
  }
  const otherSwitch = changed("unet", { use_linear_projection: true });
  const otherWidth = changed("vae", { block_out_channels: [8, 8] });
  const legacy = changed("vae", {});
  const prefixed = changed("text_encoder", {});
  const temporary = temporaryFolder();

  test("predicts the same from shards in float16 as from one file in float32", () => {
    const folder = changed("unet", {});
    const { tensors } = openWeights(folder);
    saveSafetensors(join(folder, "diffusion_pytorch_model.safetensors"), tensors, {
      dtype: "float32",
    });
    const half = openNetwork(folder, UNET, { variant: "fp16" });
    const whole = openNetwork(folder, UNET);
    expect(half.convIn.weight.dtype).toBe("float16");
    expect(whole.convIn.weight.dtype).toBe("float32");
    const x = normal(Rng.seed(1), [2, 4, 8, 8]);
    const text = normal(Rng.seed(2), [2, 5, 12]);
    const t = Tensor.from([999, 1], [2]);
    expect(largestDifference(half.forward(x, t, text), whole.forward(x, t, text))).toBe(0);
  });

  test("reads attention of an old autoencoder under its old names, as 1×1 convolutions", () => {
    const renamed = [...openWeights(legacy).tensors].map(([name, weight]) => {
      const old = name
        .replace(".to_q.", ".query.")
        .replace(".to_k.", ".key.")
        .replace(".to_v.", ".value.")
        .replace(".to_out.0.", ".proj_attn.");
      const isMatrix = old !== name && weight.shape.length === 2;
      return [old, isMatrix ? weight.unsqueeze(2).unsqueeze(3) : weight] as const;
    });
    saveSafetensors(join(legacy, "diffusion_pytorch_model.safetensors"), new Map(renamed));
    const today = openNetwork(join(small, "vae"), AUTOENCODER);
    const old = openNetwork(legacy, AUTOENCODER);
    const pixels = normal(Rng.seed(1), [1, 3, 8, 8]);
    expect(largestDifference(old.encode(pixels).mean, today.encode(pixels).mean)).toBe(0);
  });

  test("reads a text encoder with its names' prefix and its buffer of positions, and without", () => {
    const named = [...openWeights(prefixed).tensors].map(
      ([name, weight]) => [`text_model.${name}`, weight] as const,
    );
    named.push(["text_model.embeddings.position_ids", Tensor.arange(77).reshape([1, 77])]);
    saveSafetensors(join(prefixed, "model.safetensors"), new Map(named));
    const ids = Tensor.from([538, 4, 539], [1, 3], "int64");
    const today = openNetwork(join(small, "text_encoder"), TEXT_ENCODER);
    const old = openNetwork(prefixed, TEXT_ENCODER);
    expect(largestDifference(old.forward(ids), today.forward(ids))).toBe(0);
  });

  test("opens a ControlNet that computes what the saved one does", () => {
    const config = {
      ...CONTROLNET_CONFIG,
      block_out_channels: [8, 16],
      conditioning_embedding_out_channels: [4, 8],
      cross_attention_dim: 12,
      down_block_types: ["CrossAttnDownBlock2D", "DownBlock2D"],
      layers_per_block: 1,
      attention_head_dim: 2,
      norm_num_groups: 4,
    };
    const saved = CONTROLNET.build(config);
    // fresh ones put out zeros
    saved.controlnetMidBlock.weight.detach().copyFrom(normal(Rng.seed(4), [16, 16, 1, 1]));
    const weights = publicWeights(saved, CONTROLNET.layout);
    saveSafetensors(join(temporary, "diffusion_pytorch_model.safetensors"), weights);
    writeFileSync(join(temporary, "config.json"), JSON.stringify(config));
    const mid = (network: ControlNet): Tensor => {
      const x = normal(Rng.seed(1), [1, 4, 4, 4]);
      const hint = normal(Rng.seed(2), [1, 3, 8, 8]);
      return network.forward(x, Tensor.ones([1]), Tensor.ones([1, 2, 12]), hint).mid;
    };
    expect(mid(saved).norm().item()).toBeGreaterThan(0.1);
    expect(largestDifference(mid(openNetwork(temporary, CONTROLNET)), mid(saved))).toBe(0);
  });

  test("puts every weight on the default device, and computes there", () => {
    useVirtualDevice();
    try {
      const unet = openNetwork(join(small, "unet"), UNET, { weightType: "bfloat16" });
      const places = [...unet.parameters().values()].map(({ device }) => device);
      expect(new Set(places)).toEqual(new Set([VIRTUAL_DEVICE]));
      expect(unet.convIn.weight.dtype).toBe("bfloat16");
      const answer = unet.forward(
        Tensor.ones([1, 4, 4, 4]),
        Tensor.ones([1]),
        Tensor.ones([1, 2, 12]),
      );
      expect(answer.device).toBe(VIRTUAL_DEVICE);
    } finally {
      setDefaultDevice("cpu");
      vi.restoreAllMocks();
    }
  });

  test("leaves the file alone when a weight is written to", () => {
    const folder = join(small, "vae");
    const vae = openNetwork(folder, AUTOENCODER);
    const { weight } = vae.encoder.convIn;
    weight.detach().copyFrom(Tensor.zeros(weight.shape));
    const [path] = openWeights(folder).files;
    expect(
      loadSafetensors(path!).get("encoder.conv_in.weight")!.to("float32").norm().item(),
    ).toBeGreaterThan(1);
  });

  test("names the file and the setting that it has no network for", () => {
    expect(() => openNetwork(otherSwitch, UNET)).toThrow(ConfigError);
    expect(() => openNetwork(otherSwitch, UNET)).toThrow(
      `${join(otherSwitch, "config.json")}: expected use_linear_projection false in config.json, got true`,
    );
  });

  test("lists the tensors that do not fit the config", () => {
    expect(() => openNetwork(otherWidth, AUTOENCODER)).toThrow(DataError);
    expect(() => openNetwork(otherWidth, AUTOENCODER)).toThrow(
      /diffusion_pytorch_model.fp16.safetensors does not fit this model: \d+ tensors unexpected .*; \d+ tensors of another shape/,
    );
  });

  test("refuses a folder of another kind, and one without a config", () => {
    expect(() => openNetwork(join(small, "vae"), UNET)).toThrow(
      /expected a UNet2DConditionModel, got a AutoencoderKL/,
    );
    expect(() => openNetwork(join(small, "tokenizer"), UNET)).toThrow(
      /tokenizer\/config.json: expected a readable file, got none/,
    );
  });
});

describe("a ControlNet's public config", () => {
  test.each([
    [{ controlnet_conditioning_channel_order: "bgr" }, /controlnet_conditioning_channel_order/],
    [{ global_pool_conditions: true }, /global_pool_conditions/],
    [{ addition_embed_type: "text_time" }, /addition_embed_type null .* got text_time/],
  ])("is refused with %o", (change, message) => {
    expect(() => CONTROLNET.build({ ...CONTROLNET_CONFIG, ...change })).toThrow(ConfigError);
    expect(() => CONTROLNET.build({ ...CONTROLNET_CONFIG, ...change })).toThrow(message);
  });
});
