// The networks of the open preset on noise: Stable Diffusion 1.5, a ControlNet, AnimateDiff's third motion adapter and
// SparseCtrl, matrices in bfloat16.
import { createSchedule } from "../src/diffusion/schedule.ts";
import { Rng } from "../src/engine/random.ts";
import { asHint, decodePictures, type OpenParts } from "../src/eve/open/open-parts.ts";
import { PublicEditAdapter, PublicVideoAdapter } from "../src/eve/adapters/public-adapters.ts";
import type { HintConfig } from "../src/models/controlnet/config.ts";
import { ControlNet } from "../src/models/controlnet/controlnet.ts";
import { resolveMotionConfig } from "../src/models/motion/config.ts";
import { MotionAdapter } from "../src/models/motion/motion-adapter.ts";
import { SparseControlConfig } from "../src/models/sparse-controlnet/config.ts";
import { SparseControlNet } from "../src/models/sparse-controlnet/sparse-controlnet.ts";
import { SPARSE_CONTROLNET_LAYOUT } from "../src/models/sparse-controlnet/weights.ts";
import { resolveTextEncoderConfig } from "../src/models/text-encoder/config.ts";
import { TextEncoder } from "../src/models/text-encoder/text-encoder.ts";
import { loadTokenizer } from "../src/models/text-encoder/tokenizer.ts";
import { TEXT_ENCODER_LAYOUT } from "../src/models/text-encoder/weights.ts";
import { resolveUNetConfig } from "../src/models/unet/config.ts";
import { UNet } from "../src/models/unet/unet.ts";
import { Autoencoder } from "../src/models/vae/autoencoder.ts";
import { resolveVaeConfig } from "../src/models/vae/config.ts";
import { VAE_LAYOUT } from "../src/models/vae/weights.ts";
import { fullWidth } from "./full-width.ts";

/** Channels that let a processor try in seconds what a GPU is to measure. */
const NARROW = { blockOutChannels: [32, 64, 64, 64] };
const PRECISION = "bfloat16";

/** All of them, on the default device; `narrow` ones have the same layers with fewer channels. */
export function openNoise({ narrow = false } = {}): OpenParts {
  const seed = Rng.seed(0);
  const width = narrow ? NARROW : {};
  const unetConfig = resolveUNetConfig(width);
  const hint: HintConfig = { type: "rgb", channels: [16, 32, 96, 256] };
  const motion = resolveMotionConfig({ ...width, midBlock: false });
  const sparse = SparseControlConfig.parse({});
  const vaeConfig = resolveVaeConfig(width);
  const textConfig = resolveTextEncoderConfig(narrow ? { layers: 1 } : {});
  const autoencoder = fullWidth(() => new Autoencoder(seed, vaeConfig), PRECISION, VAE_LAYOUT);
  const networks: OpenParts["networks"] = {
    unet: fullWidth(() => new UNet(seed, unetConfig), PRECISION),
    editAdapter: new PublicEditAdapter(
      fullWidth(() => new ControlNet(seed, unetConfig, hint), PRECISION),
    ),
    videoAdapter: new PublicVideoAdapter(
      fullWidth(() => new MotionAdapter(seed, motion), PRECISION),
      fullWidth(
        () => new SparseControlNet(seed, unetConfig, sparse),
        PRECISION,
        SPARSE_CONTROLNET_LAYOUT,
      ),
    ),
    schedule: createSchedule({ kind: "linear" }),
    imageSchedule: createSchedule({ kind: "scaled_linear" }),
    kind: "noise",
    hintOf: (latents) => asHint(decodePictures(autoencoder, latents)),
  };
  const textEncoder = fullWidth(
    () => new TextEncoder(seed, textConfig),
    PRECISION,
    TEXT_ENCODER_LAYOUT,
  );
  const tokenizer = loadTokenizer(
    new URL("../test/golden/pipeline/small-sd/tokenizer", import.meta.url).pathname,
  );
  return { networks, autoencoder, textEncoder, tokenizer, maxFrames: motion.maxFrames };
}
