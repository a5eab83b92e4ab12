import {
  AV_CHANNEL_LAYOUT_MONO,
  AV_CHANNEL_LAYOUT_STEREO,
  AV_CHANNEL_ORDER_UNSPEC,
  AV_CODEC_ID_AC3,
  AV_CODEC_ID_MP3,
  AV_NOPTS_VALUE,
  AV_PKT_FLAG_DISCARD,
  AVERROR_EOF,
  AVMEDIA_TYPE_AUDIO,
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
import { StreamDigest, type StreamSummary } from "./stream-digest.ts";
import { rescale, seconds } from "./time-base.ts";

/** Which streams are copied, and how their times become the output's. */
export interface StreamCopyOptions {
  readonly streams: readonly Stream[];
  /** Taken off every timestamp. */
  readonly offsetMicroseconds: bigint;
  /** Packets before it that players must not sound (cut away by an edit list) are left out. */
  readonly earliestSeconds: number;
}

/** One stream on its way from a source to an output. */
interface Lane {
  readonly from: Stream;
  readonly to: Stream;
  readonly digest: StreamDigest;
  /** Decoding time of the packet before, in ticks of the source. */
  before: bigint;
}

/** Copies a source's sound and subtitles, byte by byte, into an output as the pictures progress. */
export class StreamCopy implements Disposable {
  readonly #source: OpenMedia;
  readonly #output: FormatContext;
  readonly #lanes: ReadonlyMap<number, Lane>;
  readonly #offsetMicroseconds: bigint;
  readonly #earliestSeconds: number;
  readonly #packet = new Packet();
  #ended: boolean;
  #reachedSeconds = -Infinity;

  /** Adds a stream to `output` for every one to be copied; call before the header is written. */
  constructor(
    source: OpenMedia,
    output: FormatContext,
    { streams, offsetMicroseconds, earliestSeconds }: StreamCopyOptions,
  ) {
    this.#source = source;
    this.#output = output;
    this.#offsetMicroseconds = offsetMicroseconds;
    this.#earliestSeconds = earliestSeconds;
    this.#lanes = new Map(
      streams.map((from) => {
        const digest = new StreamDigest(from.codecpar);
        return [from.index, { from, to: addCopy(from, output), digest, before: AV_NOPTS_VALUE }];
      }),
    );
    this.#ended = streams.length === 0;
    this.#packet.alloc();
    discardOthers(source, streams);
  }

  /** What has been copied of each stream, in the output's order. */
  get summaries(): StreamSummary[] {
    return [...this.#lanes.values()].map(({ digest }) => digest.summary);
  }

  /** Copies packets until one that starts after `until` seconds has been copied, or none is left. */
  async copyUntil(until: number): Promise<void> {
    while (!this.#ended && this.#reachedSeconds <= until) {
      const read = await this.#source.context.readFrame(this.#packet);
      if (read === AVERROR_EOF) this.#ended = true;
      else if (read < 0) {
        throw new DataError(
          `The input's sound or subtitles are damaged: ${FFmpegError.strerror(read)}.`,
        );
      } else await this.#write();
      this.#packet.unref();
    }
  }

  async #write(): Promise<void> {
    const packet = this.#packet;
    const lane = this.#lanes.get(packet.streamIndex);
    if (!lane) return;
    const { from, to, digest } = lane;
    const { num, den } = from.timeBase;
    const offset = rescale(this.#offsetMicroseconds, { num: 1, den: 1_000_000 }, { num, den });
    if (offset !== 0n) {
      packet.pts -= offset;
      packet.dts -= offset;
    }
    this.#reachedSeconds = seconds(packet.dts, from.timeBase);
    const isSilent = packet.hasFlags(AV_PKT_FLAG_DISCARD);
    if (isSilent && this.#reachedSeconds < this.#earliestSeconds) return;
    digest.add(packet, { num, den });
    giveDuration(packet, lane);
    packet.rescaleTs(from.timeBase, to.timeBase);
    packet.streamIndex = to.index;
    packet.pos = -1n;
    check(await this.#output.interleavedWriteFrame(packet), "Copying sound and subtitles");
  }

  [Symbol.dispose](): void {
    this.#packet.free();
  }
}

/** Sound of unknown duration lasts as long as that before it: of nothing, an mp4 would not play its last packet. */
function giveDuration(packet: Packet, lane: Lane): void {
  const isSound = lane.from.codecpar.codecType === AVMEDIA_TYPE_AUDIO;
  const gap = lane.before === AV_NOPTS_VALUE ? 0n : packet.dts - lane.before;
  if (isSound && packet.duration === 0n && gap > 0n) packet.duration = gap;
  lane.before = packet.dts;
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
 * Copies a stream's parameters.
 *
 * AC-3 and MP3 from an AVI come with a block size that makes another AVI count time in bytes, so
 * their few parameters are set one by one, without it.
 */
function describe(from: CodecParameters, to: CodecParameters): void {
  if (from.codecId !== AV_CODEC_ID_AC3 && from.codecId !== AV_CODEC_ID_MP3) {
    check(from.copy(to), "Copying a stream's parameters");
    giveSpeakers(to);
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

/** Says which speakers one or two channels are for, where a file such as an avi does not: an mp4 asks PCM for it. */
function giveSpeakers(to: CodecParameters): void {
  const { order, nbChannels } = to.channelLayout;
  if (order !== AV_CHANNEL_ORDER_UNSPEC) return;
  if (nbChannels === 1) to.channelLayout = AV_CHANNEL_LAYOUT_MONO;
  if (nbChannels === 2) to.channelLayout = AV_CHANNEL_LAYOUT_STEREO;
}
