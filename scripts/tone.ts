import {
  AV_CHANNEL_ORDER_NATIVE,
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AV_SAMPLE_FMT_FLTP,
  FF_ENCODER_AAC,
} from "node-av/constants";
import {
  Codec,
  CodecContext,
  type FormatContext,
  Frame,
  Packet,
  Rational,
  type Stream,
} from "node-av/lib";
import { invariant } from "../src/engine/errors.ts";

const sampleRate = 48_000;
const mono = { nbChannels: 1, order: AV_CHANNEL_ORDER_NATIVE, mask: 4n };

/** An AAC stream of one sine tone. */
export class Tone implements Disposable {
  readonly #encoder: CodecContext;
  readonly #output: FormatContext;
  readonly #stream: Stream;
  readonly #hertz: number;
  #sample = 0;

  /** Adds the stream to `output`, before its header is written. */
  constructor(output: FormatContext, hertz: number) {
    const codec = Codec.findEncoderByName(FF_ENCODER_AAC);
    invariant(codec, "FFmpeg comes with an AAC encoder");
    this.#encoder = new CodecContext();
    this.#encoder.allocContext3(codec);
    this.#encoder.sampleRate = sampleRate;
    this.#encoder.sampleFormat = AV_SAMPLE_FMT_FLTP;
    this.#encoder.channelLayout = mono;
    this.#encoder.bitRate = 64_000n;
    this.#encoder.timeBase = new Rational(1, sampleRate);
    this.#encoder.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER);
    invariant(this.#encoder.open2Sync(codec, null) >= 0, "the AAC encoder opens");
    this.#output = output;
    this.#hertz = hertz;
    this.#stream = output.newStream();
    this.#encoder.parametersFromContext(this.#stream.codecpar);
    this.#stream.timeBase = new Rational(1, sampleRate);
  }

  /** Writes the tone up to a moment, in seconds. */
  writeUntil(end: number): void {
    const { frameSize } = this.#encoder;
    for (; this.#sample < end * sampleRate; this.#sample += frameSize) {
      const samples = Float32Array.from({ length: frameSize }, (_, index) => {
        const seconds = (this.#sample + index) / sampleRate;
        return Math.sin(2 * Math.PI * this.#hertz * seconds) / 4;
      });
      using frame = Frame.fromAudioBuffer(Buffer.from(samples.buffer), {
        nbSamples: frameSize,
        format: AV_SAMPLE_FMT_FLTP,
        sampleRate,
        channelLayout: mono,
        pts: BigInt(this.#sample),
      });
      this.#encode(frame);
    }
  }

  /** Writes what the encoder still holds. */
  finish(): void {
    this.#encode(null);
  }

  #encode(frame: Frame | null): void {
    invariant(this.#encoder.sendFrameSync(frame) >= 0, "a tone can be encoded");
    using packet = new Packet();
    packet.alloc();
    while (this.#encoder.receivePacketSync(packet) >= 0) {
      packet.streamIndex = this.#stream.index;
      packet.rescaleTs({ num: 1, den: sampleRate }, this.#stream.timeBase);
      this.#output.interleavedWriteFrameSync(packet);
    }
  }

  [Symbol.dispose](): void {
    this.#encoder[Symbol.dispose]();
  }
}
