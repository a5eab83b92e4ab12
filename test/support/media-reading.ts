import { createHash } from "node:crypto";
import {
  AV_CODEC_ID_GIF,
  AV_NOPTS_VALUE,
  AV_PKT_DATA_DISPLAYMATRIX,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_VIDEO,
} from "node-av/constants";
import {
  avGetCodecName,
  Codec,
  CodecContext,
  FormatContext,
  Frame,
  Packet,
  type Stream,
} from "node-av/lib";

/** What a media file holds, read by nothing of src/. Times in seconds. */
export interface MediaReading {
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  /** The four signs of the display matrix, `1 0 0 1` without one. */
  readonly turn: string;
  /** Pixel width over pixel height; 1 if unknown. */
  readonly aspect: number;
  readonly colour: readonly number[];
  /** When each decoded picture is shown. */
  readonly shown: readonly number[];
  /** The end of the video stream as its container tells it. */
  readonly end: number;
  readonly copied: readonly CopiedReading[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** A stream that an edit copies. */
export interface CopiedReading {
  readonly codec: string;
  readonly language: string;
  readonly disposition: number;
  readonly packets: readonly { readonly at: number; readonly sha256: string }[];
}

/** Reads a media file with FFmpeg alone: lists every packet, decodes every picture. */
export async function readMedia(path: string): Promise<MediaReading> {
  await using context = new FormatContext();
  await context.openInput(path);
  await context.findStreamInfo();
  const { streams } = context;
  const video = streams.find(({ codecpar }) => codecpar.codecType === AVMEDIA_TYPE_VIDEO)!;
  const lists = new Map(
    streams.map(({ index }) => [index, [] as { at: number; sha256: string }[]]),
  );
  const pictures: number[] = [];
  using decoder = openDecoder(video);
  using packet = new Packet();
  packet.alloc();
  let lastEnd = 0;
  for (; context.readFrameSync(packet) >= 0; packet.unref()) {
    const stream = streams.find(({ index }) => index === packet.streamIndex)!;
    const at = toSeconds(packet.pts === AV_NOPTS_VALUE ? packet.dts : packet.pts, stream);
    if (stream.index !== video.index) {
      const sha256 = createHash("sha256")
        .update(packet.data ?? "")
        .digest("hex");
      lists.get(stream.index)!.push({ at, sha256 });
      continue;
    }
    lastEnd = Math.max(lastEnd, at + toSeconds(packet.duration, stream));
    decoder.sendPacketSync(packet);
    drain(decoder, video, pictures);
  }
  decoder.sendPacketSync(null);
  drain(decoder, video, pictures);
  return {
    ...describe(video),
    shown: pictures,
    end: endOf(video, lastEnd),
    copied: streams
      .filter(({ index }) => index !== video.index)
      .map((stream) => ({
        codec: avGetCodecName(stream.codecpar.codecId) ?? "",
        language: stream.metadata?.get("language") ?? "und",
        disposition:
          stream.codecpar.codecType === AVMEDIA_TYPE_AUDIO ? Number(stream.disposition) : 0,
        packets: lists.get(stream.index)!,
      })),
    metadata: context.metadata?.getAll() ?? {},
  };
}

function describe(video: Stream) {
  const { codecpar } = video;
  const matrix = codecpar.getCodedSideData(AV_PKT_DATA_DISPLAYMATRIX);
  const signs = matrix
    ? [0, 4, 12, 16].map((at) => Math.sign(matrix.readInt32LE(at)))
    : [1, 0, 0, 1];
  const own = video.sampleAspectRatio;
  const { num, den } = own.num > 0 ? own : codecpar.sampleAspectRatio;
  return {
    codec: avGetCodecName(codecpar.codecId) ?? "",
    width: codecpar.width,
    height: codecpar.height,
    turn: signs.join(" "),
    aspect: num > 0 ? num / den : 1,
    colour: [
      codecpar.colorRange,
      codecpar.colorSpace,
      codecpar.colorPrimaries,
      codecpar.colorTrc,
    ].map(Number),
  };
}

function openDecoder(video: Stream): CodecContext {
  const codec = Codec.findDecoder(video.codecpar.codecId)!;
  const decoder = new CodecContext();
  decoder.allocContext3(codec);
  decoder.parametersToContext(video.codecpar);
  decoder.pktTimebase = video.timeBase;
  if (decoder.open2Sync(codec, null) < 0) throw new Error("the decoder opens");
  return decoder;
}

function drain(decoder: CodecContext, video: Stream, pictures: number[]): void {
  using frame = new Frame();
  frame.alloc();
  for (;;) {
    const received = decoder.receiveFrameSync(frame);
    if (received === AVERROR_EAGAIN || received === AVERROR_EOF) return;
    if (received < 0) throw new Error("every picture decodes");
    pictures.push(toSeconds(frame.bestEffortTimestamp, video));
    frame.unref();
  }
}

function endOf(video: Stream, last: number): number {
  if (video.codecpar.codecId === AV_CODEC_ID_GIF || video.duration === AV_NOPTS_VALUE) return last;
  const start = video.startTime === AV_NOPTS_VALUE ? 0n : video.startTime;
  return toSeconds(start + video.duration, video);
}

function toSeconds(ticks: bigint, { timeBase: { num, den } }: Stream): number {
  return (Number(ticks) * num) / den;
}
