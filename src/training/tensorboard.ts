import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { maskedCrc32c } from "./crc32c.ts";

/** A PNG file's content with its size. */
export interface PngImage {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Writes a TensorBoard event file: TFRecord frames around `Event` messages (tensorflow/core/util/event.proto).
 *
 * Each session writes a file of its own. It opens with a session start at its first step: TensorBoard
 * then hides what an earlier session wrote from there on, as those steps are done again.
 */
export class EventFile implements Disposable {
  readonly path: string;
  readonly #file: number;
  readonly #now: () => number;

  /** `startStep` is the number of steps done before; `now` gives seconds since 1970. */
  constructor(folder: string, startStep: number, now = (): number => Date.now() / 1000) {
    mkdirSync(folder, { recursive: true });
    const started = String(Math.floor(now())).padStart(10, "0");
    this.path = join(folder, `events.out.tfevents.${started}.${process.pid}.eve`);
    this.#file = openSync(this.path, "a");
    this.#now = now;
    this.#write(0, [text(3, "brain.Event:2")]);
    this.#write(startStep + 1, [message(7, [varint(1, SESSION_START)])]);
  }

  /** Writes numbers by tag, after `step` steps. */
  scalars(step: number, values: Readonly<Record<string, number>>): void {
    const named = Object.entries(values).map(([tag, value]) =>
      message(1, [text(1, tag), float(2, value)]),
    );
    this.#write(step, [message(5, named)]);
  }

  /** Writes a picture, after `step` steps. */
  image(step: number, tag: string, { png, width, height }: PngImage): void {
    const picture = message(4, [
      varint(1, height),
      varint(2, width),
      varint(3, RGB),
      bytes(4, png),
    ]);
    this.#write(step, [message(5, [message(1, [text(1, tag), picture])])]);
  }

  [Symbol.dispose](): void {
    closeSync(this.#file);
  }

  #write(step: number, fields: readonly Uint8Array[]): void {
    const event = Buffer.concat([double(1, this.#now()), varint(2, step), ...fields]);
    writeSync(this.#file, record(event));
  }
}

const SESSION_START = 1;
const RGB = 3;

/** One TFRecord frame: length, its checksum, the data, its checksum; little-endian. */
export function record(data: Uint8Array): Buffer {
  const frame = Buffer.alloc(data.length + 16);
  frame.writeBigUInt64LE(BigInt(data.length), 0);
  frame.writeUInt32LE(maskedCrc32c(frame.subarray(0, 8)), 8);
  frame.set(data, 12);
  frame.writeUInt32LE(maskedCrc32c(data), data.length + 12);
  return frame;
}

// Protocol buffer fields: a key of number and wire type, then the value.

function key(field: number, wireType: 0 | 1 | 2 | 5): Buffer {
  return leb128((field << 3) | wireType);
}

function leb128(value: number): Buffer {
  const found: number[] = [];
  let rest = value;
  while (rest >= 128) {
    found.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...found, rest]);
}

function varint(field: number, value: number): Buffer {
  return Buffer.concat([key(field, 0), leb128(value)]);
}

function double(field: number, value: number): Buffer {
  const content = Buffer.alloc(8);
  content.writeDoubleLE(value);
  return Buffer.concat([key(field, 1), content]);
}

function float(field: number, value: number): Buffer {
  const content = Buffer.alloc(4);
  content.writeFloatLE(value);
  return Buffer.concat([key(field, 5), content]);
}

function bytes(field: number, content: Uint8Array): Buffer {
  return Buffer.concat([key(field, 2), leb128(content.length), content]);
}

function text(field: number, content: string): Buffer {
  return bytes(field, Buffer.from(content));
}

function message(field: number, fields: readonly Uint8Array[]): Buffer {
  return bytes(field, Buffer.concat(fields));
}
