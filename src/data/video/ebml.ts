/** One element of a Matroska or WebM file: an identity, a size, and what is in it. */
export interface Element {
  /** In hexadecimal digits, its marker bits included. */
  readonly id: string;
  /** Where its contents begin and end in the bytes, and where it begins itself. */
  readonly start: number;
  readonly contents: number;
  readonly end: number;
}

/** The element that begins at `at`; its end may lie beyond the bytes. `undefined` where none is or its size is unknown. */
export function elementAt(bytes: Buffer, at: number): Element | undefined {
  const first = bytes[at];
  if (first === undefined || first < 16) return undefined;
  const contents = at + leadingLength(first);
  const end = endOfElement(bytes, contents);
  if (end === undefined) return undefined;
  const id = bytes.toString("hex", at, contents);
  return { id, start: at, contents: contents + leadingLength(bytes[contents] ?? 1), end };
}

/** The elements that lie in `bytes`, one after the other; stops at what is none. */
export function* elementsOf(bytes: Buffer): Generator<Element, void, undefined> {
  for (let at = 0; at < bytes.length;) {
    const element = elementAt(bytes, at);
    if (!element || element.end > bytes.length) return;
    yield element;
    at = element.end;
  }
}

/** The contents of the elements of one identity in `bytes`. */
export function contentsOfAll(bytes: Buffer, id: string): Buffer[] {
  return [...elementsOf(bytes)]
    .filter((element) => element.id === id)
    .map(({ contents, end }) => bytes.subarray(contents, end));
}

/**
 * Where an element ends whose size, a number of one to eight bytes, stands at `at`.
 *
 * The first byte's leading zeros count the bytes that follow; all ones in the rest: unknown size.
 */
export function endOfElement(bytes: Buffer, at: number): number | undefined {
  const first = bytes[at];
  if (first === undefined || first === 0) return undefined;
  const length = leadingLength(first);
  if (at + length > bytes.length) return undefined;
  const value = BigInt(`0x${bytes.toString("hex", at, at + length)}`);
  const mask = (1n << BigInt(7 * length)) - 1n;
  const size = value & mask;
  return size === mask ? undefined : at + length + Number(size);
}

/** How many bytes a number has that begins with a byte. */
export function leadingLength(first: number): number {
  return Math.clz32(first) - 23;
}

/** An element around contents; its size takes four bytes, so contents of less than 2²⁸ − 1 fit. */
export function elementBytes(id: string, ...contents: readonly Uint8Array[]): Buffer {
  const inside = Buffer.concat(contents);
  const size = Buffer.alloc(4);
  size.writeUInt32BE(0x1000_0000 + inside.length);
  return Buffer.concat([Buffer.from(id, "hex"), size, inside]);
}

/** An unsigned number as contents of an element, in eight bytes. */
export function numberBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** The unsigned number that contents of up to eight bytes are; 0 where there are none, or more. */
export function numberIn(contents: Buffer): bigint {
  return contents.length === 0 || contents.length > 8
    ? 0n
    : BigInt(`0x${contents.toString("hex")}`);
}
