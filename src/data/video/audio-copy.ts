import {
  AV_CODEC_ID_AC3,
  AV_CODEC_ID_MP3,
  AV_PKT_FLAG_DISCARD,
  AVERROR_EOF,
} from "node-av/constants";
import {
  type CodecParameters,
  Dictionary,
  FFmpegError,
  type FormatContext,
  Packet,
  type Stream,
} from "node-av/lib";
import { DataError } from "../../engine/errors.ts";
import { check, discardOthers, type OpenMedia } from "./media.ts";
import { rescale, seconds } from "./time-base.ts";

/** How a source's audio times become the output's. */
export interface AudioCopyOptions {
  /** Taken off every timestamp. */
  readonly offsetMicroseconds: bigint;
  /** Packets before it that players must not sound (cut away by an edit list) are left out. */
  readonly earliestSeconds: number;
}

/** Copies a source's audio packets, byte by byte, into an output as the pictures progress. */
export class AudioCopy implements Disposable {
  readonly #source: OpenMedia;
  readonly #output: FormatContext;
  readonly #targets: ReadonlyMap<number, Stream>;
  readonly #offsetMicroseconds: bigint;
  readonly #earliestSeconds: number;
  readonly #packet = new Packet();
  #ended: boolean;
  #reachedSeconds = -Infinity;

  /** Adds a stream to `output` for every audio stream; call before the header is written. */
  constructor(
    source: OpenMedia,
    output: FormatContext,
    { offsetMicroseconds, earliestSeconds }: AudioCopyOptions,
  ) {
    this.#source = source;
    this.#output = output;
    this.#offsetMicroseconds = offsetMicroseconds;
    this.#earliestSeconds = earliestSeconds;
    this.#targets = new Map(source.audio.map((from) => [from.index, addCopy(from, output)]));
    this.#ended = source.audio.length === 0;
    this.#packet.alloc();
    discardOthers(source, source.audio);
  }

  /** Copies packets until one that starts after `until` seconds has been copied, or none is left. */
  async copyUntil(until: number): Promise<void> {
    while (!this.#ended && this.#reachedSeconds <= until) {
      const read = await this.#source.context.readFrame(this.#packet);
      if (read === AVERROR_EOF) this.#ended = true;
      else if (read < 0) {
        throw new DataError(`The input's audio is damaged: ${FFmpegError.strerror(read)}.`);
      } else await this.#write();
      this.#packet.unref();
    }
  }

  async #write(): Promise<void> {
    const packet = this.#packet;
    const target = this.#targets.get(packet.streamIndex);
    const from = this.#source.audio.find((stream) => stream.index === packet.streamIndex);
    if (!target || !from) return;
    const { num, den } = from.timeBase;
    const offset = rescale(this.#offsetMicroseconds, { num: 1, den: 1_000_000 }, { num, den });
    if (offset !== 0n) {
      packet.pts -= offset;
      packet.dts -= offset;
    }
    this.#reachedSeconds = seconds(packet.dts, from.timeBase);
    const isSilent = packet.hasFlags(AV_PKT_FLAG_DISCARD);
    if (isSilent && this.#reachedSeconds < this.#earliestSeconds) return;
    packet.rescaleTs(from.timeBase, target.timeBase);
    packet.streamIndex = target.index;
    packet.pos = -1n;
    check(await this.#output.interleavedWriteFrame(packet), "Copying audio");
  }

  [Symbol.dispose](): void {
    this.#packet.free();
  }
}

function addCopy(from: Stream, output: FormatContext): Stream {
  const target = output.newStream();
  describe(from.codecpar, target.codecpar);
  target.codecpar.codecTag = 0;
  target.timeBase = from.timeBase;
  target.disposition = from.disposition;
  target.metadata = Dictionary.fromObject(from.metadata?.getAll() ?? {});
  return target;
}

/**
 * Copies an audio stream's parameters.
 *
 * AC-3 and MP3 from an AVI come with a block size that makes another AVI count time in bytes, so
 * their few parameters are set one by one, without it.
 */
function describe(from: CodecParameters, to: CodecParameters): void {
  if (from.codecId !== AV_CODEC_ID_AC3 && from.codecId !== AV_CODEC_ID_MP3) {
    check(from.copy(to), "Copying the audio's parameters");
    return;
  }
  to.codecType = from.codecType;
  to.codecId = from.codecId;
  to.format = from.format;
  to.sampleRate = from.sampleRate;
  to.channelLayout = from.channelLayout;
  to.bitRate = from.bitRate;
  to.frameSize = from.frameSize;
  to.initialPadding = from.initialPadding;
}
