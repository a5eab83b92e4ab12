import { AV_FRAME_FLAG_INTERLACED } from "node-av/constants";
import { type CodecContext, Frame, type Packet, type Stream } from "node-av/lib";
import { DataError, UserError } from "../../engine/errors.ts";
import { openDecoder } from "./decoder.ts";

/** So many pictures are looked at, of so many packets: films on tape begin with fields as they go on. */
const mostPictures = 4;
const mostPackets = 16;

/**
 * Finds whether a video's pictures are woven of two fields, by decoding its first ones: no container tells for sure.
 *
 * Says no of what cannot be decoded; whoever reads it will say why.
 */
export class InterlaceFinder implements Disposable {
  readonly #decoder: CodecContext | null;
  readonly #frame = new Frame();
  #pictures = 0;
  #packets = 0;
  #isInterlaced = false;

  private constructor(decoder: CodecContext | null) {
    this.#decoder = decoder;
    this.#frame.alloc();
  }

  static async open(video: Stream, name: string): Promise<InterlaceFinder> {
    const decoder = await openDecoder(video, name, { threads: 1 }).catch((error: unknown) => {
      if (error instanceof UserError || error instanceof DataError) return null;
      throw error;
    });
    return new InterlaceFinder(decoder);
  }

  get isInterlaced(): boolean {
    return this.#isInterlaced;
  }

  /** Takes the next packet of the stream, in stored order. */
  async add(packet: Packet): Promise<void> {
    const isDone = this.#pictures >= mostPictures || this.#packets >= mostPackets;
    if (this.#decoder === null || isDone) return;
    this.#packets++;
    if ((await this.#decoder.sendPacket(packet)) < 0) return;
    for (; this.#decoder.receiveFrameSync(this.#frame) >= 0; this.#frame.unref()) {
      this.#pictures++;
      this.#isInterlaced ||= this.#frame.hasFlags(AV_FRAME_FLAG_INTERLACED);
    }
  }

  [Symbol.dispose](): void {
    this.#frame.free();
    this.#decoder?.[Symbol.dispose]();
  }
}
