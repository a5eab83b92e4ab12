import {
  AV_DISPOSITION_DEFAULT,
  AV_PKT_DATA_DISPLAYMATRIX,
  AVFMT_GLOBALHEADER,
  type AVPixelFormat,
} from "node-av/constants";
import {
  Dictionary,
  FFmpegError,
  FormatContext,
  type Packet,
  Rational,
  type Stream,
} from "node-av/lib";
import { invariant, UserError } from "../../engine/errors.ts";
import type { ColourTags } from "./colour.ts";
import type { Encoding } from "./codecs.ts";
import type { Container } from "./containers.ts";
import { PictureEncoder } from "./encoder.ts";
import { check } from "./media.ts";
import { PaletteConverter } from "./palette.ts";
import { PictureConverter } from "./picture.ts";
import type { SideData } from "./source-contents.ts";
import { rescale, seconds, type TimeBase } from "./time-base.ts";

/** The video stream to write: stored size, colours, clock and how players are to show it. */
export interface OutputPicture {
  readonly width: number;
  readonly height: number;
  readonly colour: ColourTags;
  readonly frameRate: TimeBase;
  /** The unit of the timestamps given to `write`. */
  readonly timeBase: TimeBase;
  readonly sampleAspectRatio: TimeBase;
  readonly displayMatrix: Uint8Array | null;
}

/** A video stream to write, and where. */
export interface StoredVideo {
  readonly container: Container;
  readonly encoding: Encoding;
  readonly picture: OutputPicture;
  /** What else the stream says of how to show its pictures. */
  readonly sideData?: readonly SideData[];
  /** The stream's own metadata, such as its language. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A video file being written, picture by picture: create, add further streams, begin, write, finish. */
export class VideoOutput implements AsyncDisposable {
  readonly context: FormatContext;
  readonly #container: Container;
  readonly #format: AVPixelFormat;
  readonly #picture: OutputPicture;
  readonly #clock: TimeBase;
  readonly #encoder: PictureEncoder;
  readonly #converter: PictureConverter | PaletteConverter;
  readonly #stream: Stream;
  /** How long each picture that the encoder still holds is shown: not every encoder passes it on. */
  readonly #lasting = new Map<bigint, bigint>();
  /** The last packet so far, which must say when the video ends where durations go in decoding order. */
  #held: Packet | null = null;
  #first: { readonly pts: bigint; readonly dts: bigint } | undefined;
  #endTick = 0n;
  #count = 0;
  #lastTick: bigint | undefined;
  #end = 0;

  private constructor(
    context: FormatContext,
    encoder: PictureEncoder,
    stream: Stream,
    { container, encoding, picture }: StoredVideo,
  ) {
    this.context = context;
    this.#encoder = encoder;
    this.#stream = stream;
    this.#container = container;
    this.#format = encoding.format;
    this.#picture = picture;
    this.#clock = clockOf(container, picture);
    this.#converter =
      encoding.codec === "gif" ? new PaletteConverter(picture) : new PictureConverter();
  }

  /** Opens the encoder and the file at `path`; nothing is written yet. */
  static async create(path: string, stored: StoredVideo): Promise<VideoOutput> {
    const { container, encoding, picture } = stored;
    const context = new FormatContext();
    try {
      check(context.allocOutputContext2(null, container.muxer, path), "Creating the output");
      const encoder = await PictureEncoder.open(encoding.encoder, {
        ...picture,
        format: encoding.format,
        timeBase: clockOf(container, picture),
        options: encoding.options,
        globalHeader: context.oformat?.hasFlags(AVFMT_GLOBALHEADER) ?? false,
      });
      const stream = addVideoStream(context, encoder, stored);
      const opened = await context.openOutput();
      if (opened < 0) {
        throw new UserError(`Cannot write ${path}: ${FFmpegError.strerror(opened)}.`);
      }
      return new VideoOutput(context, encoder, stream, stored);
    } catch (error) {
      await context[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Writes the header, after which no stream can be added, and in Matroska `filler` bytes to be replaced later. */
  async begin(metadata: Readonly<Record<string, string>>, filler = 0): Promise<void> {
    this.context.metadata = Dictionary.fromObject(metadata);
    using options = Dictionary.fromObject({
      ...muxerOptions(this.#container, metadata),
      ...(filler > 0 ? { metadata_header_padding: filler } : {}),
    });
    check(await this.context.writeHeader(options), `Starting the ${this.#container.label} file`);
  }

  /** Writes one stored picture, packed RGB, shown at `pts` for `duration` ticks (0: unknown). */
  async write(rgb: Uint8Array, pts: bigint, duration: bigint): Promise<void> {
    const { colour } = this.#picture;
    using frame = await this.#converter.fromRgb(rgb, this.#picture, this.#format, colour);
    const { tick, ticks } = this.#schedule(pts, duration);
    frame.pts = tick;
    frame.duration = ticks;
    frame.timeBase = this.#encoder.context.timeBase;
    this.#lasting.set(tick, ticks);
    this.#endTick = tick + ticks;
    await this.#mux(this.#encoder.encode(frame));
    this.#count++;
  }

  /** When the last picture written ends, in seconds of the source's clock. */
  get endSeconds(): number {
    return this.#end;
  }

  /** Writes what the encoder holds back and the file's index; throws if the disk did not take it all. */
  async finish(): Promise<void> {
    invariant(this.#count > 0, "a video must have at least one picture");
    await this.#mux(this.#encoder.encode(null));
    await this.#release(true);
    check(await this.context.writeTrailer(), "Completing the output");
    const error = this.context.pb?.error ?? 0;
    await this.context.closeOutput();
    check(error, "Writing the output");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#held?.[Symbol.dispose]();
    this.#converter[Symbol.dispose]();
    this.#encoder[Symbol.dispose]();
    await this.context[Symbol.asyncDispose]();
  }

  #schedule(pts: bigint, duration: bigint): { tick: bigint; ticks: bigint } {
    const { frameRate, timeBase } = this.#picture;
    const lasting =
      duration > 0n ? duration : rescale(1n, { num: frameRate.den, den: frameRate.num }, timeBase);
    this.#end = seconds(pts + lasting, timeBase);
    if (this.#container.clock === "frame-number") return { tick: BigInt(this.#count), ticks: 1n };
    const tick = rescale(pts, timeBase, this.#clock);
    const end = rescale(pts + lasting, timeBase, this.#clock);
    if (this.#lastTick !== undefined && tick <= this.#lastTick) {
      const at = seconds(pts, timeBase).toFixed(3);
      throw new UserError(
        `${this.#container.label} cannot hold two pictures as close as those at ${at} s: ` +
          `write .mp4 instead.`,
      );
    }
    this.#lastTick = tick;
    return { tick, ticks: end > tick ? end - tick : 1n };
  }

  async #mux(packets: AsyncIterable<Packet>): Promise<void> {
    for await (const packet of packets) {
      packet.streamIndex = this.#stream.index;
      packet.duration = this.#lasting.get(packet.pts) ?? packet.duration;
      this.#lasting.delete(packet.pts);
      this.#first ??= { pts: packet.pts, dts: packet.dts };
      await this.#release(false);
      this.#held = packet.clone();
    }
  }

  /**
   * Writes the packet that was held back.
   *
   * An mp4 stores the gap to the next packet in decoding order, so its last packet gets what is left until the end.
   */
  async #release(isLast: boolean): Promise<void> {
    if (!this.#held || !this.#first) return;
    using packet = this.#held;
    this.#held = null;
    if (isLast && this.#container.durationsInDecodingOrder) {
      const left = this.#endTick - this.#first.pts - (packet.dts - this.#first.dts);
      if (left > 0n) packet.duration = left;
    }
    packet.rescaleTs(this.#clock, this.#stream.timeBase);
    check(await this.context.interleavedWriteFrame(packet), "Writing the output");
  }
}

function clockOf({ clock }: Container, { timeBase, frameRate }: OutputPicture): TimeBase {
  if (clock === "source") return timeBase;
  return clock === "centiseconds"
    ? { num: 1, den: 100 }
    : { num: frameRate.den, den: frameRate.num };
}

function addVideoStream(
  context: FormatContext,
  encoder: PictureEncoder,
  { container, encoding, picture, sideData = [], metadata = {} }: StoredVideo,
): Stream {
  const stream = context.newStream();
  const { num, den } = clockOf(container, picture);
  check(encoder.context.parametersFromContext(stream.codecpar), "Describing the output");
  if (encoding.tag !== undefined && container.tagsCodecs) stream.codecpar.codecTag = encoding.tag;
  stream.timeBase = new Rational(num, den);
  stream.avgFrameRate = new Rational(picture.frameRate.num, picture.frameRate.den);
  stream.sampleAspectRatio = new Rational(
    picture.sampleAspectRatio.num,
    picture.sampleAspectRatio.den,
  );
  stream.disposition = AV_DISPOSITION_DEFAULT;
  stream.metadata = Dictionary.fromObject(metadata);
  const matrix = picture.displayMatrix;
  const turned = matrix ? [{ type: AV_PKT_DATA_DISPLAYMATRIX, data: Buffer.from(matrix) }] : [];
  for (const { type, data } of [...sideData, ...turned]) {
    check(stream.codecpar.addCodedSideData(type, data), "Describing the output");
  }
  return stream;
}

/** Keys that mp4 and mov have a place for; any other needs their free-form table. */
const mp4Keys = new Set(
  "title artist album_artist album comment composer copyright date description encoder genre".split(
    " ",
  ),
);

function muxerOptions(container: Container, metadata: Readonly<Record<string, string>>) {
  const { movflags, ...rest } = container.muxerOptions;
  if (movflags === undefined) return rest;
  const isFreeForm = Object.keys(metadata).some((key) => !mp4Keys.has(key));
  return { ...rest, movflags: isFreeForm ? `${movflags}+use_metadata_tags` : movflags };
}
