import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_CHANNEL_LAYOUT_STEREO,
  AV_CODEC_ID_SUBRIP,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_NOPTS_VALUE,
  AV_SAMPLE_FMT_FLTP,
  AV_SAMPLE_FMT_S16,
  AV_SAMPLE_FMT_S16P,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_SUBTITLE,
  type AVSampleFormat,
  FF_ENCODER_AAC,
  FF_ENCODER_AC3,
  FF_ENCODER_ALAC,
  FF_ENCODER_FLAC,
  FF_ENCODER_LIBOPUS,
  FF_ENCODER_MP2,
  FF_ENCODER_PCM_S16LE,
} from "node-av/constants";
import {
  Codec,
  CodecContext,
  Dictionary,
  FormatContext,
  Frame,
  Packet,
  Rational,
  type Stream,
} from "node-av/lib";
import { invariant } from "../../src/engine/errors.ts";
import type { Codec as CodecName, Quality } from "../../src/data/video/codecs.ts";
import type { ColourTags } from "../../src/data/video/colour.ts";
import { chooseEncoding, containerFor } from "../../src/data/video/containers.ts";
import { newColour, storedColour } from "../../src/data/video/output-plan.ts";
import { VideoOutput } from "../../src/data/video/output.ts";
import { type DecodedFrame, readFrames, type ReadOptions } from "../../src/data/video/reader.ts";
import { seconds, type TimeBase } from "../../src/data/video/time-base.ts";

/** A folder for generated media that is gone when the test is over. */
export interface ClipFolder extends AsyncDisposable {
  readonly path: string;
  /** The path of a file in it. */
  file(name: string): string;
}

/** Makes an empty folder among the system's temporary files. */
export async function clipFolder(): Promise<ClipFolder> {
  const path = await mkdtemp(join(tmpdir(), "open-eve-clips-"));
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/** Audio encoders by FFmpeg's names. */
const audioEncoders = {
  aac: FF_ENCODER_AAC,
  ac3: FF_ENCODER_AC3,
  alac: FF_ENCODER_ALAC,
  flac: FF_ENCODER_FLAC,
  libopus: FF_ENCODER_LIBOPUS,
  mp2: FF_ENCODER_MP2,
  pcm: FF_ENCODER_PCM_S16LE,
};
type AudioName = keyof typeof audioEncoders;

/** What the samples are that an encoder takes, where not planar floats. */
const wholeSamples: Partial<Record<AudioName, AVSampleFormat>> = {
  mp2: AV_SAMPLE_FMT_S16,
  alac: AV_SAMPLE_FMT_S16P,
  flac: AV_SAMPLE_FMT_S16,
  pcm: AV_SAMPLE_FMT_S16,
};

/** What a generated clip is to contain. */
export interface ClipOptions {
  readonly width?: number;
  readonly height?: number;
  /** When each picture is shown, in ticks of 1/12800 s; twelve at 25 a second by default. */
  readonly ticks?: readonly number[];
  readonly displayMatrix?: Uint8Array;
  /** The codec of a 440 Hz tone, of one channel but for PCM's two; no audio by default. */
  readonly audio?: AudioName;
  /** How many streams of it there are, in languages of their own. */
  readonly audioStreams?: 1 | 2;
  /** Texts shown for a second each, as SubRip stores them. */
  readonly subtitles?: readonly string[];
  readonly codec?: CodecName;
  readonly quality?: Quality;
  readonly colour?: ColourTags;
  readonly sampleAspectRatio?: TimeBase;
  readonly metadata?: Readonly<Record<string, string>>;
}

const timeBase = { num: 1, den: 12800 };
const usualGap = 512;

/** The colour (0–255) of picture `index`: flat, but for a white top left quarter. */
export function clipColour(index: number): readonly [number, number, number] {
  return [20 + index * 15, 200 - index * 10, 90];
}

/** The stored picture `index`, packed RGB. */
export function clipPicture(index: number, width: number, height: number): Uint8Array {
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const isMarked = x < width / 2 && y < height / 2;
      rgb.set(isMarked ? [255, 255, 255] : clipColour(index), (y * width + x) * 3);
    }
  }
  return rgb;
}

/** Writes a clip to `path`, in the container its extension names, with a tone if audio is asked for. */
export async function makeClip(path: string, options: ClipOptions = {}): Promise<void> {
  const { width = 64, height = 48, metadata = {} } = options;
  const ticks = options.ticks ?? Array.from({ length: 12 }, (_, index) => index * usualGap);
  const container = containerFor(path);
  const { codec, quality } = options;
  const encoding = chooseEncoding(container, { codec, quality }, { width, height });
  const picture = {
    width,
    height,
    timeBase,
    colour: options.colour ? storedColour(options.colour, encoding) : newColour(encoding),
    frameRate: { num: 25, den: 1 },
    sampleAspectRatio: options.sampleAspectRatio ?? { num: 1, den: 1 },
    displayMatrix: options.displayMatrix ?? null,
  };
  await using video = await VideoOutput.create(path, { container, encoding, picture });
  const languages = options.audio ? ["eng", "fra"].slice(0, options.audioStreams ?? 1) : [];
  const tones = languages.map((language) => Tone.create(options.audio!, video.context, language));
  const texts = options.subtitles ? addSubtitles(video.context) : undefined;
  await video.begin(metadata);
  options.subtitles?.forEach((text, second) => writeSubtitle(video.context, texts!, text, second));
  for (const [index, tick] of ticks.entries()) {
    const next = ticks[index + 1] ?? tick + usualGap;
    await video.write(clipPicture(index, width, height), BigInt(tick), BigInt(next - tick));
    for (const tone of tones) tone.writeUntil(next / timeBase.den);
  }
  for (const tone of tones) tone.writeUntil(Infinity);
  await video.finish();
  for (const tone of tones) tone[Symbol.dispose]();
}

function addSubtitles(output: FormatContext): Stream {
  const stream = output.newStream();
  stream.codecpar.codecType = AVMEDIA_TYPE_SUBTITLE;
  stream.codecpar.codecId = AV_CODEC_ID_SUBRIP;
  stream.timeBase = new Rational(1, 1000);
  return stream;
}

function writeSubtitle(output: FormatContext, stream: Stream, text: string, second: number): void {
  using packet = new Packet();
  packet.alloc();
  packet.data = Buffer.from(text);
  packet.pts = packet.dts = BigInt(second * 1000);
  packet.duration = 900n;
  packet.rescaleTs({ num: 1, den: 1000 }, stream.timeBase);
  packet.streamIndex = stream.index;
  invariant(output.interleavedWriteFrameSync(packet) >= 0, "the subtitle is written");
}

/** Writes a file that has sound and no picture. */
export async function makeAudioOnly(path: string): Promise<void> {
  await using context = new FormatContext();
  context.allocOutputContext2(null, null, path);
  using tone = Tone.create("aac", context);
  await context.openOutput();
  await context.writeHeader();
  tone.writeUntil(0.5);
  tone.writeUntil(Infinity);
  await context.writeTrailer();
}

/** All pictures of a short clip. */
export async function framesOf(path: string, size: ReadOptions = {}): Promise<DecodedFrame[]> {
  const frames: DecodedFrame[] = [];
  for await (const frame of readFrames(path, size)) frames.push(frame);
  return frames;
}

/** One audio packet as a file stores it. */
export interface AudioPacket {
  readonly ptsSeconds: number;
  readonly sha256: string;
}

/** All audio packets of a file, in stored order. */
export async function audioPackets(path: string): Promise<AudioPacket[]> {
  await using context = new FormatContext();
  await context.openInput(path);
  await context.findStreamInfo();
  const isAudio = (stream: Stream) => stream.codecpar.codecType === AVMEDIA_TYPE_AUDIO;
  const audio = context.streams.filter(isAudio);
  const found: AudioPacket[] = [];
  using packet = new Packet();
  packet.alloc();
  for (; context.readFrameSync(packet) >= 0; packet.unref()) {
    const stream = audio.find(({ index }) => index === packet.streamIndex);
    if (!stream) continue;
    const sha256 = createHash("sha256").update(packet.data!).digest("hex");
    const { pts } = packet;
    invariant(pts !== AV_NOPTS_VALUE, "audio packets have timestamps");
    found.push({ ptsSeconds: seconds(pts, stream.timeBase), sha256 });
  }
  return found;
}

/** A file's metadata. */
export async function metadataOf(path: string): Promise<Record<string, string>> {
  await using context = new FormatContext();
  await context.openInput(path);
  await context.findStreamInfo();
  return context.metadata?.getAll() ?? {};
}

/** An audio stream with a 440 Hz tone. */
class Tone implements Disposable {
  readonly #encoder: CodecContext;
  readonly #output: FormatContext;
  readonly #stream: Stream;
  readonly #sampleRate = 48_000;
  #sample = 0;

  private constructor(encoder: CodecContext, output: FormatContext, stream: Stream) {
    this.#encoder = encoder;
    this.#output = output;
    this.#stream = stream;
  }

  static create(name: AudioName, output: FormatContext, language = "und"): Tone {
    const codec = Codec.findEncoderByName(audioEncoders[name]);
    invariant(codec, `no audio encoder ${name}`);
    const encoder = new CodecContext();
    encoder.allocContext3(codec);
    encoder.sampleRate = 48_000;
    encoder.sampleFormat = wholeSamples[name] ?? AV_SAMPLE_FMT_FLTP;
    encoder.channelLayout = name === "pcm" ? AV_CHANNEL_LAYOUT_STEREO : AV_CHANNEL_LAYOUT_MONO;
    encoder.timeBase = new Rational(1, 48_000);
    encoder.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
    invariant(encoder.open2Sync(codec, null) >= 0, `the encoder ${name} opens`);
    const stream = output.newStream();
    encoder.parametersFromContext(stream.codecpar);
    stream.timeBase = new Rational(1, 48_000);
    stream.metadata = Dictionary.fromObject({ language });
    return new Tone(encoder, output, stream);
  }

  /** Writes the tone up to a moment; `Infinity` ends it. */
  writeUntil(end: number): void {
    const size = this.#encoder.frameSize || 1024; // any number of samples is a packet of PCM
    const { nbChannels } = this.#encoder.channelLayout;
    while (Number.isFinite(end) && this.#sample < end * this.#sampleRate) {
      const samples = Float32Array.from({ length: size * nbChannels }, (_, value) => {
        const sample = this.#sample + Math.floor(value / nbChannels);
        return Math.sin((sample / this.#sampleRate) * 440 * 2 * Math.PI) / 4;
      });
      const format = this.#encoder.sampleFormat;
      const isWhole = format === AV_SAMPLE_FMT_S16 || format === AV_SAMPLE_FMT_S16P;
      const { buffer } = isWhole ? Int16Array.from(samples, (value) => value * 32_767) : samples;
      using frame = Frame.fromAudioBuffer(Buffer.from(buffer), {
        nbSamples: size,
        format,
        sampleRate: this.#sampleRate,
        channelLayout: this.#encoder.channelLayout,
        pts: BigInt(this.#sample),
      });
      this.#encode(frame);
      this.#sample += size;
    }
    if (end === Infinity) this.#encode(null);
  }

  #encode(frame: Frame | null): void {
    invariant(this.#encoder.sendFrameSync(frame) >= 0, "the tone encodes");
    using packet = new Packet();
    packet.alloc();
    for (;;) {
      const received = this.#encoder.receivePacketSync(packet);
      if (received === AVERROR_EAGAIN || received === AVERROR_EOF) return;
      packet.streamIndex = this.#stream.index;
      packet.rescaleTs({ num: 1, den: this.#sampleRate }, this.#stream.timeBase);
      this.#output.interleavedWriteFrameSync(packet);
    }
  }

  [Symbol.dispose](): void {
    this.#encoder[Symbol.dispose]();
  }
}

/** A clip of `frames` pictures in the stand-in model's own size, unless told otherwise. */
export async function clipOf(
  folder: ClipFolder,
  frames: number,
  options: Parameters<typeof makeClip>[1] = {},
): Promise<string> {
  const path = folder.file("input.mp4");
  const ticks = Array.from({ length: frames }, (_, index) => index * 512); // 25 a second
  await makeClip(path, { width: 32, height: 32, ticks, ...options });
  return path;
}
