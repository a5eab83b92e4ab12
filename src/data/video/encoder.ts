import {
  AV_CODEC_FLAG_FRAME_DURATION,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  type AVPixelFormat,
  type FFEncoderCodec,
} from "node-av/constants";
import { Codec, CodecContext, Dictionary, type Frame, Packet, Rational } from "node-av/lib";
import { invariant } from "../../engine/errors.ts";
import type { ColourTags } from "./colour.ts";
import { check } from "./media.ts";
import type { TimeBase } from "./time-base.ts";

/** What an encoder must know before its first picture. */
export interface EncoderSettings {
  readonly width: number;
  readonly height: number;
  readonly format: AVPixelFormat;
  readonly colour: ColourTags;
  readonly timeBase: TimeBase;
  /** Pictures a second on average: steers rate control, changes no timestamp. */
  readonly frameRate: TimeBase;
  readonly sampleAspectRatio: TimeBase;
  readonly options: Readonly<Record<string, string>>;
  /** Whether the container wants the codec's headers apart from the pictures. */
  readonly globalHeader: boolean;
  /** `THREADS` by default. */
  readonly threads?: number;
}

/**
 * Threads of an encoder, whatever the machine has: x264 and VP9 draw other pictures with another number, and left to
 * themselves they take it from the processors they may use.
 */
export const THREADS = 4;

/** An encoder of one video stream, which hands out packets as they come. */
export class PictureEncoder implements Disposable {
  readonly context: CodecContext;
  readonly #packet = new Packet();

  private constructor(context: CodecContext) {
    this.context = context;
    this.#packet.alloc();
  }

  static async open(name: FFEncoderCodec, settings: EncoderSettings): Promise<PictureEncoder> {
    // SVT-AV1 prints its settings on stderr unless its own variable says not to.
    process.env["SVT_LOG"] ??= "0";
    const codec = Codec.findEncoderByName(name);
    invariant(codec, `FFmpeg was built without the encoder ${name}`);
    const context = new CodecContext();
    context.allocContext3(codec);
    applySettings(context, settings);
    using options = Dictionary.fromObject(settings.options);
    const opened = await context.open2(codec, options);
    if (opened < 0) context[Symbol.dispose]();
    check(opened, `Opening the encoder ${name} for ${settings.width} × ${settings.height} pixels`);
    return new PictureEncoder(context);
  }

  /** Encodes a picture, or with `null` what is still held back; each packet lives until the next. */
  async *encode(picture: Frame | null): AsyncGenerator<Packet, void, undefined> {
    check(await this.context.sendFrame(picture), "Encoding a picture");
    for (;;) {
      // The work is done as a picture is sent; only at the end is it done here.
      const received = picture
        ? this.context.receivePacketSync(this.#packet)
        : await this.context.receivePacket(this.#packet);
      if (received === AVERROR_EAGAIN || received === AVERROR_EOF) return;
      check(received, "Encoding a picture");
      yield this.#packet;
      this.#packet.unref();
    }
  }

  [Symbol.dispose](): void {
    this.#packet.free();
    this.context[Symbol.dispose]();
  }
}

function applySettings(context: CodecContext, settings: EncoderSettings): void {
  const { colour, timeBase, frameRate, sampleAspectRatio: aspect } = settings;
  context.width = settings.width;
  context.height = settings.height;
  context.pixelFormat = settings.format;
  context.timeBase = new Rational(timeBase.num, timeBase.den);
  context.framerate = new Rational(frameRate.num, frameRate.den);
  context.sampleAspectRatio = new Rational(aspect.num, aspect.den);
  context.colorSpace = colour.space;
  context.colorRange = colour.range;
  context.colorPrimaries = colour.primaries;
  context.colorTrc = colour.transfer;
  context.chromaLocation = colour.chromaLocation;
  context.setFlags(AV_CODEC_FLAG_FRAME_DURATION);
  context.threadCount = settings.threads ?? THREADS;
  if (settings.globalHeader) context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
}
