import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { VideoInfo } from "../../data/video/video-info.ts";
import { byteSize } from "../../engine/byte-size.ts";
import type { ModelDefaults } from "../settings/model.ts";
import { editSpacing, isTogether, type ResolvedSettings } from "../settings/settings.ts";
import { framesWithin, parseSpan } from "../settings/span.ts";
import { editGuidance, meanEvaluations } from "../settings/strength.ts";
import { type Calibration, codingSeconds } from "./calibration.ts";
import { MemoryError } from "./memory-error.ts";
import { totalWork } from "./progress.ts";

/** What an edit will take, by a short trial on this machine; sizes in bytes. */
export interface EditEstimate {
  readonly type: "estimate";
  /** Frames that will be edited; null where only decoding would tell, and so would be the time. */
  readonly frames: number | null;
  readonly seconds: number | null;
  /** Most memory of the process while it edits. */
  readonly memoryBytes: number;
  /** Memory that the process holds now, which the above contains. */
  readonly heldBytes: number;
  /** Memory that is free for it. */
  readonly availableBytes: number;
}

/** How much memory the process holds, and how much more it can get. */
export interface Memory {
  readonly heldBytes: number;
  readonly availableBytes: number;
}

/** The memory of this process, as the system tells: the limit of a container counts. */
export function processMemory(): Memory {
  return { heldBytes: process.memoryUsage.rss(), availableBytes: process.availableMemory() };
}

/**
 * Bytes for each pixel of a video's frames: those of a window in two versions, pictures that are being scaled, and what
 * decoder and encoder hold back. Measured with 1280 × 720 and 1920 × 1080.
 */
const VIDEO_BYTES_PER_PIXEL = 250;

/** Bytes that an edit needs besides what the process holds before it. */
function neededBytes(
  { width, height }: Pick<VideoInfo, "width" | "height">,
  window: number,
  { windowFrameBytes }: Pick<Calibration, "windowFrameBytes">,
): number {
  return window * windowFrameBytes + width * height * VIDEO_BYTES_PER_PIXEL;
}

/** What an estimate is made from. */
export interface Measured {
  readonly calibration: Calibration;
  readonly memory: Memory;
  /** The model's own. */
  readonly defaults?: ModelDefaults | undefined;
}

/** What the edits of a chain will take, one after another on each window. */
export function estimateEdit(
  info: VideoInfo,
  chain: readonly ResolvedSettings[],
  { calibration, memory, defaults }: Measured,
): EditEstimate {
  const frames = framesWithin(parseSpan(chain[0]?.frames ?? "..").span, info);
  const window = Math.max(...chain.map((settings) => settings.window));
  return {
    type: "estimate",
    frames,
    seconds: frames === null ? null : editSeconds(frames, info, chain, { calibration, defaults }),
    memoryBytes: Math.round(memory.heldBytes + neededBytes(info, window, calibration)),
    ...memory,
  };
}

function editSeconds(
  frames: number,
  info: VideoInfo,
  chain: readonly ResolvedSettings[],
  { calibration, defaults }: Pick<Measured, "calibration" | "defaults">,
): number {
  const { stepSeconds, pictureSeconds, detailSeconds } = calibration;
  const pixels = info.width * info.height;
  const ofStages = chain.map((settings) => {
    const perFrame = pictureSeconds + detailSeconds * pixels;
    const guidance = editGuidance(settings, defaults);
    const asked = meanEvaluations(guidance, editSpacing(settings, { defaults: defaults ?? {} }));
    const steps = totalWork(frames, settings) * asked;
    return steps * stepSeconds + frames * perFrame;
  });
  const coding = codingSeconds(pixels) * (info.frames ?? frames);
  return ofStages.reduce((sum, seconds) => sum + seconds, coding);
}

/**
 * Throws a MemoryError of one sentence, with a setting that fits, where the edit needs more memory than is free.
 *
 * A smaller window is what helps; a video whose frames alone are too large has to be made smaller.
 */
export function requireMemory(
  info: Pick<VideoInfo, "width" | "height">,
  chain: readonly ResolvedSettings[],
  calibration: Pick<Calibration, "windowFrameBytes">,
  { availableBytes }: Memory,
): void {
  const window = Math.max(...chain.map((settings) => settings.window));
  const needed = neededBytes(info, window, calibration);
  if (needed <= availableBytes) return;
  const least = isTogether(chain[0]?.method) ? 2 : 1;
  const rest = availableBytes - neededBytes(info, 0, calibration);
  const fitting = Math.floor(rest / calibration.windowFrameBytes);
  const overlap = Math.max(...chain.map((settings) => settings.overlap));
  const advice =
    fitting >= least
      ? `use a window of ${fitting === 1 ? "one frame" : `${fitting} frames`}${fitting <= overlap ? ` that overlaps by ${fitting - 1}` : ""}`
      : "close other programs, or make the video smaller";
  throw new MemoryError(
    `editing ${info.width} × ${info.height} in windows of ${window} frames takes about ${byteSize(needed)} and ${byteSize(Math.max(0, availableBytes))} are free: ${advice}`,
    needed,
    availableBytes,
  );
}

/** The model's part that editing does not load: what critics see with. */
const NOT_LOADED = "vision";

/** Throws a MemoryError of one sentence where a model's weights alone are more than the free memory; loads nothing. */
export function requireMemoryForWeights(
  folder: string,
  { availableBytes }: Pick<Memory, "availableBytes"> = processMemory(),
): void {
  const stored = readdirSync(folder)
    .filter((part) => part !== NOT_LOADED)
    .map((part) => statSync(join(folder, part, "weights.safetensors"), { throwIfNoEntry: false }))
    .reduce((sum, file) => sum + (file?.size ?? 0), 0);
  requireMemoryFor(2 * stored, `the weights in ${folder}`, { availableBytes }); // kept in 16 bits, used in 32
}

/** Throws a MemoryError of one sentence where `what` takes more bytes than are free. */
export function requireMemoryFor(
  needed: number,
  what: string,
  { availableBytes }: Pick<Memory, "availableBytes"> = processMemory(),
): void {
  if (needed <= availableBytes) return;
  throw new MemoryError(
    `${what} take ${byteSize(needed)} and ${byteSize(Math.max(0, availableBytes))} are free: close other programs, or use a smaller model`,
    needed,
    availableBytes,
  );
}
