import { createHash, type Hash } from "node:crypto";
import { AV_CODEC_ID_AAC, AV_NOPTS_VALUE } from "node-av/constants";
import { avGetCodecName, type CodecParameters, type Packet } from "node-av/lib";
import { seconds, type TimeBase } from "./time-base.ts";

/** What the packets of a stream come to: enough to tell whether a copy holds the same ones. */
export interface StreamSummary {
  readonly codec: string;
  readonly packets: number;
  /** SHA-256 of all packets' bytes, one after the other. */
  readonly sha256: string;
  /** When each packet begins, in seconds. */
  readonly starts: readonly number[];
}

/** Sums up the packets of a stream as they come by. */
export class StreamDigest {
  readonly #parameters: CodecParameters;
  readonly #hash: Hash = createHash("sha256");
  readonly #starts: number[] = [];
  readonly #codec: string;

  constructor(parameters: CodecParameters) {
    this.#parameters = parameters;
    this.#codec = avGetCodecName(parameters.codecId) ?? "unknown";
  }

  add(packet: Packet, timeBase: TimeBase): void {
    const { data, pts, dts } = packet;
    const payload = data && withoutTransportHeader(data, this.#parameters);
    // Containers fill the gaps between subtitles with empty ones.
    if (!payload || (this.#codec === "mov_text" && isEmptyText(payload))) return;
    this.#hash.update(payload);
    this.#starts.push(seconds(pts === AV_NOPTS_VALUE ? dts : pts, timeBase));
  }

  get summary(): StreamSummary {
    const sha256 = this.#hash.copy().digest("hex");
    return { codec: this.#codec, packets: this.#starts.length, sha256, starts: this.#starts };
  }
}

/** AAC from broadcast streams carries a header in every packet, which files keep once. */
function withoutTransportHeader(data: Buffer, { codecId, extradataSize }: CodecParameters): Buffer {
  const isFramed =
    codecId === AV_CODEC_ID_AAC && extradataSize === 0 && data[0] === 0xff && data[1]! >= 0xf0;
  if (!isFramed) return data;
  const hasChecksum = (data[1]! & 1) === 0;
  return data.subarray(hasChecksum ? 9 : 7);
}

function isEmptyText(payload: Buffer): boolean {
  return payload.length < 2 || payload.readUInt16BE(0) === 0;
}
