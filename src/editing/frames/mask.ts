import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { readPicture } from "../../data/image/read-picture.ts";
import { isPictureFile, picturesIn } from "../../data/video/picture-source.ts";
import { probeVideo } from "../../data/video/probe.ts";
import type { VideoInfo } from "../../data/video/video-info.ts";
import { type DecodedFrame, readFrames } from "../../data/video/reader.ts";
import { UserError } from "../../engine/errors.ts";
import { fileHash } from "../report/receipt.ts";
import type { EditedFrame } from "../settings/edited-frame.ts";
import { blended, maskWeights } from "./mask-weights.ts";

/** What a mask is kept in. */
type MaskSource =
  | { readonly type: "still"; readonly path: string }
  | { readonly type: "pictures"; readonly paths: readonly string[] }
  | { readonly type: "video"; readonly path: string };

/**
 * Throws a UserError of one sentence if the mask at `path` does not fit the video: it is missing, of another size, has
 * fewer frames, or is a still without any white. Reads one picture at most.
 */
export async function checkMask(path: string, info: VideoInfo): Promise<void> {
  const source = await sourceAt(path);
  if (source.type === "video") {
    const { width, height, frames } = await probeVideo(path);
    requireSize(path, { width, height }, info);
    return requireCount(path, frames, info);
  }
  const first = source.type === "still" ? source.path : source.paths[0]!;
  const image = await readPicture(first);
  requireSize(first, image, info);
  if (source.type === "pictures") return requireCount(path, source.paths.length, info);
  if (maskWeights(image.rgb, image.width, image.height).every((weight) => weight === 0)) {
    throw new UserError(`mask: ${basename(path)} is black everywhere: paint white what to edit`);
  }
}

/** SHA-256 of all that the mask consists of. */
export async function maskHash(path: string): Promise<string> {
  await sourceAt(path);
  return fileHash(path);
}

/** How a mask is applied. */
export interface MaskOptions {
  readonly path: string;
  /** Pixels over which the edit fades in, inside the mask's edge. */
  readonly feather: number;
  readonly signal?: AbortSignal | undefined;
}

/** The frames with the source's own pixels wherever the mask is black; a frame's mask goes by its index. */
export async function* withinMask(
  frames: AsyncIterable<EditedFrame>,
  options: MaskOptions,
): AsyncGenerator<EditedFrame, void, undefined> {
  await using masks = new MaskFrames(await sourceAt(options.path), options);
  for await (const frame of frames) {
    const weights = await masks.at(frame);
    yield { ...frame, rgb: blended(frame.source, frame.rgb, weights) };
  }
}

/** The weights of a mask frame by frame; indices must rise. */
class MaskFrames implements AsyncDisposable {
  readonly #source: MaskSource;
  readonly #options: MaskOptions;
  readonly #video: AsyncGenerator<DecodedFrame> | undefined;
  #still: Uint8Array | undefined;

  constructor(source: MaskSource, options: MaskOptions) {
    this.#source = source;
    this.#options = options;
    const { signal } = options;
    if (source.type === "video") this.#video = readFrames(source.path, signal ? { signal } : {});
  }

  async at(frame: EditedFrame): Promise<Uint8Array> {
    const source = this.#source;
    switch (source.type) {
      case "still":
        return (this.#still ??= await this.#ofPicture(source.path, frame));
      case "pictures": {
        const path = source.paths[frame.index];
        if (path === undefined) throw tooShort(this.#options.path, source.paths.length);
        return this.#ofPicture(path, frame);
      }
      case "video":
        return this.#ofVideo(frame);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#video?.return(undefined);
  }

  async #ofPicture(path: string, frame: EditedFrame): Promise<Uint8Array> {
    const image = await readPicture(path);
    requireSize(path, image, frame);
    return maskWeights(image.rgb, image.width, image.height, this.#options.feather);
  }

  async #ofVideo({ index }: EditedFrame): Promise<Uint8Array> {
    for (;;) {
      const { done, value } = await this.#video!.next();
      if (done === true) throw tooShort(this.#options.path, index);
      if (value.index < index) continue;
      return maskWeights(value.rgb, value.width, value.height, this.#options.feather);
    }
  }
}

async function sourceAt(path: string): Promise<MaskSource> {
  const status = await stat(path).catch((cause: unknown) => {
    throw new UserError(`mask: there is no ${path}: check the path`, { cause });
  });
  if (!status.isDirectory()) return { type: isPictureFile(path) ? "still" : "video", path };
  const paths = await picturesIn(path);
  if (paths.length > 0) return { type: "pictures", paths };
  throw new UserError(`mask: ${path} holds no PNG or JPEG: give one picture for each frame`);
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function requireSize(path: string, { width, height }: Size, video: Size): void {
  if (width === video.width && height === video.height) return;
  throw new UserError(
    `mask: expected ${video.width} × ${video.height} pixels, the video's own, got ${width} × ${height} in ${basename(path)}`,
  );
}

function requireCount(path: string, count: number | null, { frames }: VideoInfo): void {
  if (count === null || frames === null || count === frames) return;
  throw new UserError(
    `mask: expected one picture for each of the ${frames} frames, whatever its time, got ${count} in ${basename(path)}`,
  );
}

function tooShort(path: string, count: number): UserError {
  return new UserError(
    `mask: ${basename(path)} ends after ${count} pictures, before the video does`,
  );
}
