// How fast a video goes through an edit when the model costs nothing: decode, edit, encode, copy sound, read back.
//
//   node bench/media.ts [--size 512] [--frames 200] [--rounds 5] [--quality good] [--detail keep]
//
// The model copies: its latents are the pictures at an eighth of their size. Its time is measured and taken out.
// Prints the median of all rounds, with the least and the most, and the load of the machine.
import { rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readQuality } from "../src/data/video/codecs.ts";
import { writeVideo } from "../src/data/video/writer.ts";
import { createSchedule } from "../src/diffusion/schedule.ts";
import type { Denoiser } from "../src/diffusion/denoiser.ts";
import type { EditingModel, GuidedCondition } from "../src/editing/settings/model.ts";
import { Editor } from "../src/editing/editor.ts";
import { setThreads } from "../src/engine/settings.ts";
import { dispatch, type Float } from "../src/engine/tensor.ts";

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "512" },
    frames: { type: "string", default: "200" },
    rounds: { type: "string", default: "5" },
    quality: { type: "string", default: "good" },
    detail: { type: "string", default: "keep" },
    threads: { type: "string", default: "2" },
  },
});
const size = Number(values.size);
const frames = Number(values.frames);
const rounds = Number(values.rounds);
const quality = readQuality(values.quality);

/** Seconds spent in the model since the last reset, and what of them this thread had a processor for. */
const inModel = { seconds: 0, processorSeconds: 0 };
function timed<Result>(work: () => Result): Result {
  const startedAt = performance.now();
  const before = process.threadCpuUsage();
  const result = work();
  inModel.seconds += (performance.now() - startedAt) / 1000;
  inModel.processorSeconds += processorSeconds(process.threadCpuUsage(before));
  return result;
}

function processorSeconds({ user, system }: NodeJS.CpuUsage): number {
  return (user + system) / 1e6;
}

interface Copied extends GuidedCondition {
  readonly input: Float<"f c h w">;
}
const schedule = createSchedule({ zeroTerminalSnr: true });
const condition = (input: Float<"f c h w">): Copied => ({
  input,
  withoutText: () => condition(input),
  withoutImage: () => condition(input),
});
const copying: Denoiser<Copied> = {
  predict: (xt, t, { input }) =>
    timed(() => {
      const rest = xt.sub(input.mul(schedule.alpha(t)));
      return { x0: input, noise: rest.div(schedule.sigma(t)) };
    }),
};
const model: EditingModel = {
  path: "",
  name: "copying",
  hash: "0".repeat(64),
  size,
  window: 8,
  schedule,
  hasVideoAdapter: true,
  hasAlignment: true,
  tokenizer: { unknownWords: () => [] },
  latentShape: (count) => [count, 3, size >> 3, size >> 3],
  encode: (pixels) => timed(() => dispatch("aten::avg_pool2d", pixels, [8, 8])),
  decode: (latents) => timed(() => dispatch("aten::upsample_nearest2d", latents, [size, size])),
  editCondition: (_, input) => condition(input),
  editTeacher: () => copying,
  stackedCondition: (_, input) => condition(input),
  stacked: () => copying,
  aligned: () => copying,
};

/** A moving gradient with grain and a square that crosses it. */
function* pictures(): Generator<Uint8Array> {
  const ground = Uint8Array.from({ length: size * size * 3 }, (_, at) => {
    const [x, y] = [Math.floor(at / 3) % size, Math.floor(at / 3 / size)];
    const grain = ((at * 2_654_435_761) >>> 28) - 8;
    return 128 + 60 * Math.sin(x / 17) + 50 * Math.cos(y / 23) + grain;
  });
  const side = size >> 2;
  for (let index = 0; index < frames; index++) {
    const picture = ground.slice();
    const left = (index * 3) % (size - side);
    for (let y = side; y < 2 * side; y++) {
      picture.fill(230, (y * size + left) * 3, (y * size + left + side) * 3);
    }
    yield picture;
  }
}

async function round(video: string, output: string): Promise<number> {
  inModel.seconds = inModel.processorSeconds = 0;
  const before = process.cpuUsage();
  const onThisThread = process.threadCpuUsage();
  const startedAt = performance.now();
  const detail = values.detail === "off" ? "off" : "keep";
  await new Editor(model).edit(video, "copy", { output, encoding: { quality }, detail }).result;
  const seconds = (performance.now() - startedAt) / 1000;
  const here = processorSeconds(process.threadCpuUsage(onThisThread)) - inModel.processorSeconds;
  const all = processorSeconds(process.cpuUsage(before));
  const perFrame = (of: number) => ((1000 * of) / frames).toFixed(2);
  process.stdout.write(
    `  ${(frames / seconds).toFixed(1)} frames/s in all, model ${inModel.seconds.toFixed(2)} of ${seconds.toFixed(2)} s; ` +
      `${perFrame(all)} ms of processor a frame, ${perFrame(here)} of them on the main thread without the model\n`,
  );
  return frames / (seconds - inModel.seconds);
}

setThreads(Number(values.threads));
const temporary = (name: string) => join(tmpdir(), `media-bench-${process.pid}-${name}.mp4`);
const video = temporary("in");
const output = temporary("out");
try {
  await writeVideo(video, pictures(), { width: size, height: size, fps: 25 });
  const rates: number[] = [];
  for (let count = 0; count < rounds; count++) rates.push(await round(video, output));
  rates.sort((left, right) => left - right);
  const [least, median, most] = [0, rates.length >> 1, rates.length - 1].map((at) =>
    rates[at]!.toFixed(1),
  );
  process.stdout.write(
    `${size} × ${size}, ${values.quality}, detail ${values.detail}: median ${median} frames/s without the model ` +
      `(${least} to ${most}), load ${loadavg()[0]!.toFixed(1)}\n`,
  );
} finally {
  await Promise.all([video, output, `${output}.json`].map((path) => rm(path, { force: true })));
}
