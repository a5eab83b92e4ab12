import { basename } from "node:path";
import {
  AV_FRAME_FLAG_CORRUPT,
  AV_NOPTS_VALUE,
  AV_PKT_FLAG_CORRUPT,
  AVERROR_EAGAIN,
  AVERROR_EOF,
} from "node-av/constants";
import { Frame, Packet, type Stream } from "node-av/lib";
import { DataError } from "../../engine/errors.ts";
import { openDecoder } from "./decoder.ts";
import {
  discardOthers,
  endOfVideo,
  requireStatedEnd,
  type OpenMedia,
  openMedia,
  sampleAspectOf,
} from "./media.ts";
import {
  type Orientation,
  orientationOf,
  shownAspect,
  turnedSize,
  turnUpright,
  upright,
} from "./orientation.ts";
import { resizeFrame } from "./fit.ts";
import { PictureConverter } from "./picture.ts";
import { type PictureSource, pictureSourceAt, readPictures } from "./picture-source.ts";
import { seconds, type TimeBase } from "./time-base.ts";

/** One picture of a video as shown: upright, packed RGB. */
export interface DecodedFrame {
  /** Counts from 0. */
  readonly index: number;
  /** When the picture is shown, in ticks of `timeBase`; strictly increasing. */
  readonly pts: bigint;
  /** How long, in ticks: until the next picture, or until the stream's end. */
  readonly duration: bigint;
  readonly timeBase: TimeBase;
  readonly ptsSeconds: number;
  /** `height × width × 3`, values 0–255. */
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Width of a pixel over its height, as shown; 1 where the file does not say. */
  readonly pixelAspect: number;
}

/** How to read frames. */
export interface ReadOptions {
  /** Size of the frames in pixels as shown; the video's own by default. */
  readonly width?: number;
  readonly height?: number;
  readonly signal?: AbortSignal;
}

/**
 * Streams the pictures of a video in the order they are shown; holds a few at a time.
 *
 * Throws a UserError where `probeVideo` would, a DataError that names the frame where the stream
 * breaks, and the signal's reason within one frame of its abort.
 */
export async function* readFrames(
  path: string,
  options: ReadOptions = {},
): AsyncGenerator<DecodedFrame, void, undefined> {
  const pictures = await pictureSourceAt(path);
  if (pictures) return yield* pictureFrames(pictures, options);
  await using media = await openMedia(path);
  const { video, displayMatrix } = media;
  const timeBase = { num: video.timeBase.num, den: video.timeBase.den };
  const orientation = displayMatrix ? orientationOf(displayMatrix) : upright;
  const shown = shownSize(video, orientation, options);
  const coded = turnedSize(shown.width, shown.height, orientation);
  const pixelAspect = aspectAt(shown, video, orientation);
  const turn = orientation.rotation !== 0 || orientation.mirrored;
  using converter = new PictureConverter();
  let waiting: Omit<DecodedFrame, "duration"> | undefined;
  let lastDuration = 0n;
  for await (const decoded of decodedPictures(media, basename(path), options.signal)) {
    const pts = nextTimestamp(decoded, waiting?.pts);
    if (waiting) yield { ...waiting, duration: pts - waiting.pts };
    options.signal?.throwIfAborted();
    const rgb = await converter.toRgb(decoded, coded);
    lastDuration = decoded.duration;
    waiting = {
      index: waiting ? waiting.index + 1 : 0,
      pts,
      timeBase,
      ptsSeconds: seconds(pts, timeBase),
      rgb: turn ? turnUpright(rgb, coded.width, coded.height, orientation) : rgb,
      ...shown,
      pixelAspect,
    };
  }
  if (!waiting) throw new DataError(`${basename(path)} holds no picture that can be decoded.`);
  const end = endOfVideo(media, { start: waiting.pts, duration: lastDuration });
  requireStatedEnd(media, end);
  yield { ...waiting, duration: end - waiting.pts };
}

/** The pictures of a folder, or a single one, as frames. */
async function* pictureFrames(
  source: PictureSource,
  options: ReadOptions,
): AsyncGenerator<DecodedFrame, void, undefined> {
  const { timeBase, shown } = source;
  let index = 0;
  for await (const { rgb, ...own } of readPictures(source)) {
    options.signal?.throwIfAborted();
    const size = sizeWithin(own, options);
    const { pts, duration } = shown[index]!;
    yield {
      index: index++,
      pts,
      duration,
      timeBase,
      ptsSeconds: seconds(pts, timeBase),
      rgb: resizeFrame(rgb, own, size),
      ...size,
      pixelAspect: (own.width * size.height) / (own.height * size.width),
    };
  }
}

/** Decodes packet by packet. The frame handed out is one object, valid until the next is asked for. */
async function* decodedPictures(
  media: OpenMedia,
  name: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Frame, void, undefined> {
  const { context, video } = media;
  discardOthers(media, [video]);
  using decoder = await openDecoder(video, name);
  using packet = new Packet();
  packet.alloc();
  using frame = new Frame();
  frame.alloc();
  let count = 0;
  const broken = (reason: string) =>
    new DataError(
      `${name} is damaged after ${count} frames: ${reason}; cut it there or re-encode it first.`,
    );
  for (let ended = false; !ended; packet.unref()) {
    signal?.throwIfAborted();
    const read = await context.readFrame(packet);
    ended = read === AVERROR_EOF;
    if (read < 0 && !ended) throw broken("the file cannot be read on");
    if (!ended && packet.streamIndex !== video.index) continue;
    if (!ended && packet.hasFlags(AV_PKT_FLAG_CORRUPT)) throw broken("a packet is cut off");
    const sent = await decoder.sendPacket(ended ? null : packet);
    if (sent < 0) throw broken("the next picture cannot be decoded");
    for (;;) {
      // The work is done as a packet is sent; only at the end is it done here.
      const received = ended ? await decoder.receiveFrame(frame) : decoder.receiveFrameSync(frame);
      if (received === AVERROR_EAGAIN || received === AVERROR_EOF) break;
      if (received < 0) throw broken("the next picture cannot be decoded");
      if (frame.decodeErrorFlags !== 0 || frame.hasFlags(AV_FRAME_FLAG_CORRUPT)) {
        throw broken("the next picture cannot be decoded without faults");
      }
      yield frame;
      count++;
      frame.unref();
      signal?.throwIfAborted();
    }
  }
}

/** The frame's own timestamp, or one tick more than the last where that is missing or not later. */
function nextTimestamp(decoded: Frame, previous: bigint | undefined): bigint {
  const own = decoded.bestEffortTimestamp;
  const earliest = previous === undefined ? undefined : previous + (decoded.duration || 1n);
  if (own === AV_NOPTS_VALUE) return earliest ?? 0n;
  return previous !== undefined && own <= previous ? previous + 1n : own;
}

/** The shape of a video's pixels where its frames are brought to a size. */
function aspectAt(
  { width, height }: { readonly width: number; readonly height: number },
  video: Stream,
  orientation: Orientation,
): number {
  const { rotation } = orientation;
  const { num, den } = shownAspect({ sampleAspectRatio: sampleAspectOf(video), rotation });
  const own = turnedSize(video.codecpar.width, video.codecpar.height, orientation);
  const aspect = num > 0 && den > 0 ? num / den : 1;
  return (aspect * own.width * height) / (own.height * width);
}

function shownSize(video: Stream, orientation: Orientation, options: ReadOptions) {
  const { width, height } = video.codecpar;
  return sizeWithin(turnedSize(width, height, orientation), options);
}

/** The size that is asked for, the aspect kept where one side is given; by default the pictures' own. */
function sizeWithin(
  own: { readonly width: number; readonly height: number },
  { width, height }: ReadOptions,
): { width: number; height: number } {
  if (width === undefined && height === undefined) return { width: own.width, height: own.height };
  return {
    width: width ?? Math.max(1, Math.round((own.width * height!) / own.height)),
    height: height ?? Math.max(1, Math.round((own.height * width!) / own.width)),
  };
}
