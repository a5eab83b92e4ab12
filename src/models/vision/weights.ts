import { Tensor } from "../../engine/tensor.ts";
import { DataError } from "../../engine/errors.ts";
import { snakeCase } from "../public-weights/layout.ts";
import { copyParameters, type Parameters } from "../../nn/module.ts";
import type { VisionTransformer } from "./vision-transformer.ts";

/** What files carry for masked training or for classifying; nothing here reads it. */
const UNREAD = /^(?:embeddings\.)?mask_token$|^pooler\.dense\./;

/** The name that Meta's DINO and DINOv2 (and timm) have for one of our parameters. */
export function publicName(parameter: string): string {
  return snakeCase(parameter);
}

/** The weights of `network` under their public names. */
export function publicWeights(network: VisionTransformer): Parameters {
  return new Map([...network.parameters()].map(([name, weight]) => [publicName(name), weight]));
}

/** Copies a public checkpoint, in Meta's names or in those of transformers' Dinov2Model or ViTModel, into `network`. */
export function loadPublicWeights(
  network: VisionTransformer,
  source: ReadonlyMap<string, Tensor>,
  what: string,
): void {
  const given = new Map([...source].filter(([name]) => !UNREAD.test(name)));
  const isMeta = given.has("cls_token");
  copyParameters(publicWeights(network), isMeta ? given : fromTransformers(given, what), what);
}

/** Parts of names in files of transformers' Dinov2Model and ViTModel, and in Meta's layout. */
const RENAMED: readonly (readonly [transformers: string, meta: string])[] = [
  ["embeddings.cls_token", "cls_token"],
  ["embeddings.position_embeddings", "pos_embed"],
  ["embeddings.patch_embeddings.projection", "patch_embed.proj"],
  ["encoder.layer.", "blocks."],
  ["attention.output.dense", "attn.proj"],
  ["intermediate.dense", "mlp.fc1"],
  [".output.dense", ".mlp.fc2"],
  ["layernorm_before", "norm1"],
  ["layernorm_after", "norm2"],
  ["layer_scale1.lambda1", "ls1.gamma"],
  ["layer_scale2.lambda1", "ls2.gamma"],
];

const QUERY = ".attention.attention.query.";

/** Meta's names for a file of transformers, which holds queries, keys and values apart. */
function fromTransformers(
  source: ReadonlyMap<string, Tensor>,
  what: string,
): ReadonlyMap<string, Tensor> {
  const renamed = new Map<string, Tensor>();
  for (const [name, weight] of source) {
    if (name.includes(QUERY)) {
      const fused = ["query", "key", "value"].map((role) => {
        const part = source.get(name.replace(QUERY, QUERY.replace("query", role)));
        if (!part) throw new DataError(`${what} has ${name} without its ${role}`);
        return part;
      });
      renamed.set(metaName(name.replace(QUERY, ".attn.qkv.")), Tensor.cat(fused, 0));
    } else if (!/\.attention\.attention\.(?:key|value)\./.test(name)) {
      renamed.set(metaName(name), weight);
    }
  }
  return renamed;
}

function metaName(name: string): string {
  const short = RENAMED.reduce((text, [theirs, metas]) => text.replace(theirs, metas), name);
  return short.replace(/^layernorm\./, "norm.");
}
