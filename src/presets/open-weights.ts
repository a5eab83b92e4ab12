/** Public weights of one repository that the open preset is made of. */
export interface PublicWeights {
  /** `owner/name` on the hub. */
  readonly repository: string;
  /** A commit where one is known to fit, else a branch. */
  readonly revision: string;
  readonly group: WeightGroup;
  /** What the project uses it for. */
  readonly role: string;
  /** As its authors name it; undefined where they say nothing. */
  readonly licence: string | undefined;
  readonly files: readonly WantedFile[];
}

/** `edit` and `distill` are what editing and aligning need; `metrics` is for evaluation alone. */
export type WeightGroup = "edit" | "distill" | "metrics";

/** All groups, in the order in which they are shown. */
export const WEIGHT_GROUPS: readonly WeightGroup[] = ["edit", "distill", "metrics"];

/** The groups that come when none is named. */
export const DEFAULT_GROUPS: readonly WeightGroup[] = ["edit", "distill"];

/** The first of these that the repository has. */
export interface WantedFile {
  readonly choices: readonly { readonly path: string; readonly bytes: number }[];
  /** Whether it is fine if the repository has none of them. */
  readonly optional: boolean;
}

/** A small file; its size is a guess for the estimate. */
const small = (path: string, bytes = 2000): WantedFile => ({
  choices: [{ path, bytes }],
  optional: false,
});

const maybe = (path: string, bytes = 2000): WantedFile => ({
  choices: [{ path, bytes }],
  optional: true,
});

/** Weights in 16 bits where the repository has them, else in 32; the networks are the same. */
const weights = (path: string, halfBytes: number): WantedFile => ({
  choices: [
    { path: `${path}.fp16.safetensors`, bytes: halfBytes },
    { path: `${path}.safetensors`, bytes: 2 * halfBytes },
  ],
  optional: false,
});

const fullWeights = (path: string, bytes: number): WantedFile =>
  small(`${path}.safetensors`, bytes);

const tokenizer = (folder = ""): readonly WantedFile[] => [
  small(`${folder}vocab.json`, 1_060_000),
  small(`${folder}merges.txt`, 525_000),
  maybe(`${folder}tokenizer_config.json`),
  maybe(`${folder}special_tokens_map.json`),
  maybe(`${folder}tokenizer.json`, 2_220_000),
];

const NETWORK = "diffusion_pytorch_model";

/**
 * The reference profile of public weights: one frozen text-to-image network and everything that was trained over it.
 *
 * Of the motion adapters it takes the third: the network for first frames was trained with that one, and it mixes
 * time in the same layers (none in the middle block).
 */
export const PUBLIC_WEIGHTS: readonly PublicWeights[] = [
  {
    repository: "stable-diffusion-v1-5/stable-diffusion-v1-5",
    revision: "451f4fe16113bff5a5d2269ed5ad43b0592e9a14",
    group: "edit",
    role: "text to image",
    licence: "CreativeML OpenRAIL-M",
    files: [
      small("model_index.json"),
      small("scheduler/scheduler_config.json"),
      ...tokenizer("tokenizer/"),
      small("text_encoder/config.json"),
      weights("text_encoder/model", 246e6),
      small("vae/config.json"),
      weights(`vae/${NETWORK}`, 167e6),
      small("unet/config.json"),
      weights(`unet/${NETWORK}`, 1.72e9),
    ],
  },
  {
    repository: "lllyasviel/control_v11e_sd15_ip2p",
    revision: "1fed6ebb905c61929a60514830eb05b039969d6d",
    group: "edit",
    role: "edit adapter",
    licence: "OpenRAIL",
    files: [small("config.json"), weights(NETWORK, 723e6)],
  },
  {
    repository: "guoyww/animatediff-motion-adapter-v1-5-3",
    revision: "main",
    group: "edit",
    role: "video adapter",
    licence: "Apache-2.0 (its code)",
    files: [small("config.json"), weights(NETWORK, 835e6)],
  },
  {
    repository: "guoyww/animatediff-sparsectrl-rgb",
    revision: "c9d1e5bbb578aed752f750efa65851ac09b71333",
    group: "edit",
    role: "first frame",
    licence: undefined,
    files: [small("config.json"), weights(NETWORK, 994e6)],
  },
  {
    repository: "facebook/dinov2-small",
    revision: "main",
    group: "distill",
    role: "critics' features",
    licence: "Apache-2.0",
    files: [small("config.json"), maybe("preprocessor_config.json"), fullWeights("model", 88e6)],
  },
  {
    repository: "openai/clip-vit-large-patch14",
    revision: "main",
    group: "metrics",
    role: "frame consistency",
    licence: "MIT",
    files: [
      small("config.json"),
      small("preprocessor_config.json"),
      ...tokenizer(),
      fullWeights("model", 1.71e9),
    ],
  },
  {
    repository: "yuvalkirstain/PickScore_v1",
    revision: "a4e4367c6dfa7288a00c550414478f865b875800",
    group: "metrics",
    role: "PickScore",
    licence: undefined,
    files: [small("config.json"), fullWeights("model", 3.94e9)],
  },
  {
    repository: "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
    revision: "main",
    group: "metrics",
    role: "PickScore's words",
    licence: undefined,
    files: [small("preprocessor_config.json"), ...tokenizer()],
  },
  {
    repository: "OpenGVLab/ViCLIP-L-14-hf",
    revision: "main",
    group: "metrics",
    role: "ViCLIP",
    licence: undefined,
    files: [small("config.json"), fullWeights("model", 1.71e9)],
  },
];
