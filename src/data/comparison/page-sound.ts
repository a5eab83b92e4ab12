import {
  AV_CODEC_FLAG_GLOBAL_HEADER,
  AVMEDIA_TYPE_AUDIO,
  AVSEEK_FLAG_BACKWARD,
  FF_ENCODER_AAC,
} from "node-av/constants";
import { Decoder, Encoder, FilterAPI } from "node-av/api";
import { type FormatContext, Packet, Rational, type Stream } from "node-av/lib";
import { invariant } from "../../engine/errors.ts";
import { check, discardOthers, openMedia, type OpenMedia } from "../video/media.ts";
import { rescale, seconds } from "../video/time-base.ts";

const SAMPLE_RATE = 48_000;
const BITS_PER_SECOND = 128_000;
/** How long before the moment that is wanted a file is entered: decoders need some packets to come to themselves. */
const LEAD_SECONDS = 1;

/**
 * The sound of a video for a page: the stream that players choose, as stereo AAC, which every browser plays.
 *
 * It is encoded as the pictures progress, so that it never piles up.
 */
export class PageSound implements AsyncDisposable {
  readonly #media: OpenMedia;
  readonly #decoder: Decoder;
  readonly #filter: FilterAPI;
  readonly #encoder: Encoder;
  readonly #packets: AsyncGenerator<Packet | null>;
  /** The next one to write; undefined where none is left. */
  #next: Packet | undefined;
  #to: Stream | undefined;

  private constructor(media: OpenMedia, stream: Stream, decoder: Decoder, fromSeconds: number) {
    this.#media = media;
    this.#decoder = decoder;
    // Gaps are filled, so that no later sound comes too early.
    this.#filter = FilterAPI.create(
      `atrim=start=${fromSeconds},asetpts=PTS-${fromSeconds}/TB,aresample=${SAMPLE_RATE}:async=1:first_pts=0,` +
        "aformat=sample_fmts=fltp:channel_layouts=stereo",
    );
    this.#encoder = Encoder.createSync(FF_ENCODER_AAC, {
      context: { bitRate: BITS_PER_SECOND },
      configure: (context) => context.setFlags(AV_CODEC_FLAG_GLOBAL_HEADER),
      filter: this.#filter,
    });
    const read = packetsOf(media, stream);
    this.#packets = this.#encoder.packets(this.#filter.frames(decoder.frames(read)));
  }

  /** The sound of the file at `path` from a moment of its clock on; null where it has none that can be decoded. */
  static async open(path: string, fromSeconds: number): Promise<PageSound | null> {
    const media = await openMedia(path);
    const best = media.context.findBestStream(AVMEDIA_TYPE_AUDIO);
    const stream = media.audio.find(({ index }) => index === best);
    const decoder =
      stream && (await Decoder.create(stream, { exitOnError: false }).catch(() => undefined));
    if (!stream || !decoder) {
      await media[Symbol.asyncDispose]();
      return null;
    }
    await enter(media, stream, fromSeconds);
    const sound = new PageSound(media, stream, decoder, fromSeconds);
    if (await sound.#begins()) return sound;
    await sound[Symbol.asyncDispose]();
    return null;
  }

  /** Adds a stream for it to a file whose header is not written yet. */
  joinTo(output: FormatContext): void {
    const context = this.#encoder.getCodecContext();
    invariant(context, "an encoder that gave a packet is open");
    this.#to = output.newStream();
    check(context.parametersFromContext(this.#to.codecpar), "Describing the sound");
    this.#to.timeBase = new Rational(1, SAMPLE_RATE);
  }

  /** Writes what sounds before `until` seconds after the first picture. */
  async writeUntil(until: number, output: FormatContext): Promise<void> {
    const to = this.#to;
    invariant(to, "the sound has a stream in the file");
    while (this.#next && seconds(this.#next.pts, this.#next.timeBase) < until) {
      using packet = this.#next;
      packet.rescaleTs(packet.timeBase, to.timeBase);
      packet.streamIndex = to.index;
      check(await output.interleavedWriteFrame(packet), "Writing the sound");
      await this.#advance();
    }
  }

  /** Whether there is any. */
  async #begins(): Promise<boolean> {
    await this.#advance();
    return this.#next !== undefined;
  }

  /** Encodes on. Where sound is so damaged that it cannot be decoded it ends: a page is to look at. */
  async #advance(): Promise<void> {
    this.#next = undefined;
    const step = await this.#packets.next().catch(() => undefined);
    this.#next = step?.value ?? undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#packets.return(null);
    this.#next?.[Symbol.dispose]();
    this.#encoder[Symbol.dispose]();
    this.#filter[Symbol.dispose]();
    this.#decoder[Symbol.dispose]();
    await this.#media[Symbol.asyncDispose]();
  }
}

/** Goes to shortly before a moment; where a file cannot be entered there, it is read from its beginning. */
async function enter({ context }: OpenMedia, stream: Stream, fromSeconds: number): Promise<void> {
  const microseconds = BigInt(Math.round((fromSeconds - LEAD_SECONDS) * 1e6));
  const at = rescale(microseconds, { num: 1, den: 1_000_000 }, stream.timeBase);
  if (microseconds > 0n) await context.seekFrame(stream.index, at, AVSEEK_FLAG_BACKWARD);
}

/** The packets of a stream, and null at its end; the taker frees them. */
async function* packetsOf(media: OpenMedia, stream: Stream): AsyncGenerator<Packet | null> {
  discardOthers(media, [stream]);
  for (;;) {
    const packet = new Packet();
    packet.alloc();
    const read = await media.context.readFrame(packet);
    if (read >= 0 && packet.streamIndex === stream.index) {
      yield packet;
      continue;
    }
    packet.free();
    if (read < 0) break;
  }
  yield null;
}
