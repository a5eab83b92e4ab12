import { toBytes, toPixels } from "../../data/pixels.ts";
import { fitFrame } from "../../data/video/fit.ts";
import { HeldTensors } from "../../engine/held-tensors.ts";
import { onOneThread } from "../../engine/settings.ts";
import { Tensor } from "../../engine/tensor.ts";
import { withFinerDetail } from "../finishing/detail.ts";
import type { EditingModel } from "../settings/model.ts";
import { isTogether, type ResolvedSettings } from "../settings/settings.ts";
import { breathe } from "../windows/denoising.ts";

/** How fast this machine edits with a model, and what a frame of a window takes. */
export interface Calibration {
  /** One evaluation of the denoiser for one frame. */
  readonly stepSeconds: number;
  /** Bringing one frame into the model's space and back. */
  readonly pictureSeconds: number;
  /** Scaling and giving back detail, for one pixel of the video. */
  readonly detailSeconds: number;
  /** Memory for one frame of a window. */
  readonly windowFrameBytes: number;
}

/** Frames of the trial: fewer take longer for each, and more would be as much memory as an edit. */
const TRIAL_FRAMES = 4;
/** How much an edit changes each byte of the trial, 0–255: where little changes, less is to do. */
const TRIAL_CHANGE = 30;
/** Memory grows by pieces, and later windows find it in other pieces. */
const MEMORY_MARGIN = 1.3;
/** Least memory of a window's frame for each pixel of the model's square, where the trial found it lying free. */
const LEAST_BYTES_PER_PIXEL = 500;
/** Decoding and encoding of one pixel of H.264, in seconds: measured on two cores with AVX2, medium preset. */
const CODING_SECONDS = 45e-9;

/** How long it takes to read and write a frame of so many pixels. */
export function codingSeconds(pixels: number): number {
  return pixels * CODING_SECONDS;
}

const known = new WeakMap<EditingModel, Map<ResolvedSettings["method"], Calibration>>();

/**
 * Tries the model on four grey frames and measures time and memory; once for each method of a loaded model.
 *
 * Takes about as long as two steps of one window, and warms the machine up for the edit that follows.
 */
export async function calibrate(
  model: EditingModel,
  settings: Pick<ResolvedSettings, "method" | "task">,
  signal?: AbortSignal,
): Promise<Calibration> {
  const ofModel = known.get(model) ?? new Map<ResolvedSettings["method"], Calibration>();
  known.set(model, ofModel);
  const found = ofModel.get(settings.method) ?? (await trial(model, settings, signal));
  ofModel.set(settings.method, found);
  return found;
}

async function trial(
  model: EditingModel,
  { method, task }: Pick<ResolvedSettings, "method" | "task">,
  signal: AbortSignal | undefined,
): Promise<Calibration> {
  const { size } = model;
  const before = process.memoryUsage.rss();
  const grey = new Uint8Array(size * size * 3).fill(128);
  const frames = Array.from({ length: TRIAL_FRAMES }, () => grey);
  using held = new HeldTensors();
  const input = held.make(() => model.encode(toPixels(frames, size, size)));
  const noisy = held.make(() => Tensor.zeros(model.latentShape(TRIAL_FRAMES)));
  const texts = { caption: "", instruction: "make it", task };
  const predict = (): Tensor => {
    const [condition, denoiser] = isTogether(method)
      ? [
          model.stackedCondition(texts, input, input.narrow(0, 0, 1)),
          method === "aligned" ? model.aligned() : model.stacked(),
        ]
      : [model.editCondition(texts, input), model.editTeacher()];
    return denoiser.predict(noisy, model.schedule.steps / 2, condition).x0;
  };
  const code = (): Tensor => {
    const source = toPixels(frames, size, size);
    const latents = model.encode(source);
    const reconstruction = model.decode(latents);
    toBytes(reconstruction);
    const edited = model.decode(latents);
    return model.restoreDetail?.({ source, reconstruction, edited }) ?? edited;
  };
  const timed = async (work: () => Tensor): Promise<number> => {
    const times: number[] = [];
    for (let run = 0; run < 2; run++) {
      await breathe(signal);
      using trialTensors = new HeldTensors();
      const start = performance.now();
      trialTensors.make(work);
      times.push((performance.now() - start) / 1000);
    }
    return Math.min(...times) / TRIAL_FRAMES; // the first run also warms up
  };
  const stepSeconds = await timed(predict);
  const pictureSeconds = await timed(code);
  const growth = Math.max(0, process.memoryUsage.rss() - before) / TRIAL_FRAMES;
  return {
    stepSeconds,
    pictureSeconds,
    detailSeconds: detailSeconds(size),
    windowFrameBytes: MEMORY_MARGIN * Math.max(growth, LEAST_BYTES_PER_PIXEL * size * size),
  };
}

/** Scaling a frame of four times the model's pixels there and back, for one of its pixels. */
function detailSeconds(size: number): number {
  const [width, height] = [2 * size, 2 * size];
  const source = new Uint8Array(width * height * 3).fill(128);
  const start = performance.now();
  const square = fitFrame(source, { width, height }, size);
  const edited = square.map((value) => value + TRIAL_CHANGE);
  onOneThread(() =>
    withFinerDetail({ rgb: source, width, height }, { edited, source: square }, size),
  );
  return (performance.now() - start) / 1000 / (width * height);
}
