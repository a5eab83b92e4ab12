import type { EditText } from "../../data/caches/latents.ts";
import type { ShardedCache } from "../../data/caches/shards.ts";
import type { TextCache } from "../../data/caches/text-cache.ts";
import { WORLD_FPS } from "../../data/world/motion.ts";
import { TASKS } from "../../data/world/tasks.ts";
import { networkDenoiser, type Network } from "../../diffusion/denoiser.ts";
import { ddim, finish } from "../../diffusion/samplers.ts";
import type { Schedule } from "../../diffusion/schedule.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { Rng, normal } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { inFastPrecision } from "../../engine/settings.ts";
import { Tensor, type Float, type Pixels } from "../../engine/tensor.ts";
import type { EditAdapter } from "../../eve/adapters/edit-adapter.ts";
import { firstFrameCondition, type TemporalLayers } from "../../models/temporal/temporal-layers.ts";
import type { UNet } from "../../models/unet/unet.ts";
import type { Autoencoder } from "../../models/vae/autoencoder.ts";
import { plainLayer, type ApplyLayer, type Lora } from "../../nn/lora.ts";
import type { Sample } from "../stage.ts";

/** What samples are drawn with while a stage trains. */
export interface DrawingKit {
  readonly autoencoder: Autoencoder;
  readonly unet: UNet;
  readonly texts: TextCache;
  readonly schedule: Schedule;
}

const STEPS = 8;

/** Rows of pictures on one sheet. */
type Rows = readonly (readonly Pixels<"3 h w">[])[];

function decoded(autoencoder: Autoencoder, latents: Float<"b c h w">): Pixels<"b 3 h w"> {
  return noGrad(() => autoencoder.decode(latents).clamp(-1, 1));
}

/** The pictures of a batch, one by one. */
export function separate(pixels: Pixels<"b 3 h w">): Pixels<"3 h w">[] {
  return Array.from({ length: pixels.shape[0]! }, (_, i) => pixels.select(0, i));
}

function picturesOf(autoencoder: Autoencoder, latents: Float<"b c h w">): Pixels<"3 h w">[] {
  return separate(decoded(autoencoder, latents));
}

/** A sheet whose pictures outlive the scope that everything else of `draw` is freed with. */
function sheet(name: string, draw: () => Rows): Sample {
  using scope = tensorScope();
  const rows = draw();
  for (const picture of rows.flat()) scope.passOutward(picture);
  return { type: "sheet", name, rows };
}

function sampled(
  schedule: Schedule,
  network: Network<null>,
  shape: readonly number[],
): Float<"b c h w"> {
  const evaluate: Network<null> = (xt, t) =>
    noGrad(() => inFastPrecision(xt.device, () => network(xt, t, null)));
  const denoiser = networkDenoiser({ schedule, kind: "v", network: evaluate });
  return finish(
    ddim(denoiser, normal(Rng.seed(0).split("drawing"), shape), null, { schedule, steps: STEPS }),
  );
}

/** Validation pictures above what the backbone draws from their captions. */
export function drawPictures(
  { autoencoder, unet, texts, schedule }: DrawingKit,
  held: ShardedCache<EditText>,
): Sample[] {
  const indices = Array.from({ length: 8 }, (_, i) => i);
  const draw = (): Rows => {
    const real = held.gather("before", indices);
    const text = texts.features(indices.map((index) => held.text(index).inputCaption));
    const drawn = sampled(schedule, (xt, t) => unet.forward(xt, t, text), real.shape);
    return [picturesOf(autoencoder, real), picturesOf(autoencoder, drawn)];
  };
  return [sheet("pictures", draw)];
}

/** Validation pictures with a look above what the backbone draws from their captions, with the look's LoRA and without. */
export function drawWithLook(
  { autoencoder, unet, texts, schedule }: DrawingKit,
  look: Lora,
  held: ShardedCache<string>,
): Sample[] {
  const indices = held.firstIndices(8);
  const draw = (): Rows => {
    const real = held.gather("picture", indices);
    const text = texts.features(indices.map((index) => held.text(index)));
    const drawn = (lora: ApplyLayer): Tensor =>
      sampled(schedule, (xt, t) => unet.forward(xt, t, text, { lora }), real.shape);
    return [real, drawn(look.on(unet)), drawn(plainLayer)].map((latents) =>
      picturesOf(autoencoder, latents),
    );
  };
  return [sheet("look", draw)];
}

/** Input, truth and what the edit adapter makes, with and without the output caption: two of each task. */
export function drawEditedPictures(
  kit: DrawingKit,
  adapter: EditAdapter,
  held: ShardedCache<EditText>,
): Sample[] {
  return [sheet("edits", () => editRows(kit, adapter, held))];
}

function editRows(
  { autoencoder, unet, texts, schedule }: DrawingKit,
  adapter: EditAdapter,
  held: ShardedCache<EditText>,
): Rows {
  const indices = Array.from({ length: 2 * TASKS.length }, (_, i) => i);
  const words = indices.map((index) => held.text(index));
  const inputs = {
    input: held.gather("before", indices),
    instruction: texts.features(words.map(({ instruction }) => instruction)),
    tasks: Tensor.from(
      words.map(({ task }) => TASKS.indexOf(task)),
      [indices.length],
      "int64",
    ),
  };
  const draw = (captions: readonly string[]): Pixels<"3 h w">[] => {
    const caption = texts.features(captions);
    const network: Network<null> = (xt, t) =>
      unet.forward(xt, t, caption, { residuals: adapter.forward(xt, t, inputs) });
    return picturesOf(autoencoder, sampled(schedule, network, inputs.input.shape));
  };
  return [
    picturesOf(autoencoder, inputs.input),
    picturesOf(autoencoder, held.gather("after", indices)),
    draw(words.map(({ outputCaption }) => outputCaption)),
    draw(words.map(() => "")),
  ];
}

/** Clips that are drawn and played. */
const DRAWN_CLIPS = [0, 1, 2];

/** What the video adapter makes of first frames and captions: as clips, and on a sheet below the true ones. */
export function drawClips(
  kit: DrawingKit,
  layers: TemporalLayers,
  held: ShardedCache<string>,
): Sample[] {
  const { autoencoder, unet, texts, schedule } = kit;
  const draw = (index: number): { truth: Pixels<"f 3 h w">; drawn: Pixels<"f 3 h w"> } => {
    const clip = held.gather("clip", [index]).select(0, 0);
    const frames = clip.shape[0]!;
    const temporal = layers.on(unet, {
      frames,
      condition: firstFrameCondition(clip.narrow(0, 0, 1)),
    });
    const text = texts.features([held.text(index)]);
    const drawn = sampled(schedule, (xt, t) => unet.forward(xt, t, text, { temporal }), clip.shape);
    return { truth: decoded(autoencoder, clip), drawn: decoded(autoencoder, drawn) };
  };
  using scope = tensorScope();
  const pairs = DRAWN_CLIPS.map(draw);
  const rows = pairs.flatMap(({ truth, drawn }) => [separate(truth), separate(drawn)]);
  for (const tensor of [...rows.flat(), ...pairs.map(({ drawn }) => drawn)]) {
    scope.passOutward(tensor);
  }
  return [
    { type: "sheet", name: "clips", rows },
    ...pairs.map(({ drawn }, index): Sample => {
      return { type: "clip", name: `clip-${index + 1}`, frames: drawn, fps: WORLD_FPS };
    }),
  ];
}
