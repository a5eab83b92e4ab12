import { join } from "node:path";
import { encodeFrames } from "../../data/caches/encode-frames.ts";
import type { CacheProgress } from "../../data/caches/cache-progress.ts";
import { FRAME_SPAN } from "../../data/caches/frame-number.ts";
import { finished, lookRequestAt } from "../../data/caches/look-requests.ts";
import { openShards, type Shard } from "../../data/caches/shards.ts";
import {
  UneditedText,
  worldInputs,
  type UneditedSource,
} from "../../data/caches/unedited-clips.ts";
import { worldDigest } from "../../data/caches/world-source.ts";
import type { WorldEdit } from "../../data/world/edits.ts";
import type { Look } from "../../data/world/looks.ts";
import { renderFrame } from "../../data/world/render.ts";
import { ddim, finish } from "../../diffusion/samplers.ts";
import { Rng } from "../../engine/random.ts";
import { keep, tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { startNoise } from "../../eve/distillation/start-noise.ts";
import { guidedTeachers } from "../../eve/distillation/teacher-samples.ts";
import { stackedCondition } from "../../eve/stack/teachers.ts";
import { latentStride } from "../../models/vae/config.ts";
import {
  digest,
  openTeacherSamples,
  type DistillationInputs,
  type DistillationInputsOptions,
} from "./distillation-inputs.ts";
import { hasCritics } from "./distillation-settings.ts";

const A_SHARD = 64;

/**
 * Inputs for the alignment of the edit adapter with a look (§4.4): input captions, instructions and output captions.
 *
 * No picture is needed: the look's own teacher draws the inputs from their captions, unless the settings ask for the
 * world's. They are clips of one frame, and with no first frame to hold.
 */
export async function openCombinationInputs(
  look: Look,
  source: UneditedSource,
  options: DistillationInputsOptions,
  report?: (progress: CacheProgress) => void,
): Promise<DistillationInputs> {
  const { split, count, folder, size } = source;
  const { settings } = options;
  const clips = await openShards(
    {
      folder: join(
        folder,
        `look-${look.name}-inputs-${split}-${size}-${originOf(source, options)}`,
      ),
      what: `${split} inputs with ${look.name}`,
      count,
      shardSize: A_SHARD,
      text: UneditedText,
      prepare: async (first, items) => () => drawn(look, source, options, { first, items }),
    },
    report,
  );
  const inputs = { clips, firstFrames: null, samples: null };
  if (!hasCritics(settings)) return inputs;
  const samples = await openTeacherSamples(worldInputs(source), inputs, options, report);
  return { ...inputs, samples };
}

/** What decides the pictures besides their look: the world, and what encodes or draws them. */
function originOf(
  { size, autoencoderHash }: UneditedSource,
  { teachersHash, settings: { combineInputs, samples } }: DistillationInputsOptions,
): string {
  const world = worldDigest(size);
  if (combineInputs === "pictures") return `${world}-${autoencoderHash}`;
  const { steps, guideVideo } = samples;
  return digest([world, teachersHash, steps, guideVideo]);
}

function drawn(
  look: Look,
  source: UneditedSource,
  options: DistillationInputsOptions,
  { first, items }: { readonly first: number; readonly items: number },
): Shard<UneditedText> {
  const requests = Array.from({ length: items }, (_, i) =>
    lookRequestAt(look, source.split, first + i),
  );
  const { combineInputs } = options.settings;
  const rng = Rng.seed(0).split("look").split(first);
  const picture =
    combineInputs === "drawn"
      ? drawnPictures(source, options, requests, rng)
      : worldPictures(look, source, requests, rng);
  return {
    tensors: new Map([["clip", picture.unsqueeze(1).to("float16")]]),
    texts: requests.map(({ task, instruction, outputCaption }) => {
      return { task, instruction, outputCaption };
    }),
  };
}

/** Latents of the requests' scenes with the look, each at a time of its own. */
function worldPictures(
  look: Look,
  { autoencoder, size }: UneditedSource,
  requests: readonly WorldEdit[],
  rng: Rng,
): Float<"b c h w"> {
  const frames = requests.map(({ scene }, index) => {
    const frame = rng.split(index).integer(FRAME_SPAN);
    return finished(look, renderFrame(scene, frame, size), size);
  });
  return encodeFrames(autoencoder, frames, size);
}

/** Latents that the look's teacher draws from the requests' input captions. */
function drawnPictures(
  { autoencoder, size }: UneditedSource,
  { networks, texts, settings }: DistillationInputsOptions,
  requests: readonly WorldEdit[],
  rng: Rng,
): Float<"b c h w"> {
  using _ = tensorScope();
  const captions = requests.map(({ inputCaption }) => inputCaption);
  const { latentChannels } = autoencoder.config;
  const side = size / latentStride(autoencoder.config);
  const nothing = texts.features([""]);
  const caption = texts.features(captions);
  const condition = stackedCondition(
    {
      caption,
      instruction: nothing.expand([captions.length, -1, -1]),
      tasks: Tensor.zeros([captions.length], "int64"),
      input: Tensor.zeros([captions.length, latentChannels, side, side]),
      firstFrame: null,
    },
    nothing,
  );
  const { video: look } = guidedTeachers(networks, settings.samples);
  const { schedule } = networks;
  const xT = startNoise(condition, "independent", rng);
  const sample = finish(ddim(look, xT, condition, { schedule, steps: settings.samples.steps }));
  return keep(sample);
}
