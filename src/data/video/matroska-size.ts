import { open } from "node:fs/promises";

const headerId = "1a45dfa3";
const segmentId = "18538067";

/**
 * The size in bytes that a Matroska or WebM file says it has: the end of its one segment.
 *
 * `undefined` where it does not say, as in live recordings.
 */
export async function statedMatroskaSize(path: string): Promise<number | undefined> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
  const head = buffer.subarray(0, bytesRead);
  const size = segmentSizeAt(head);
  return size === undefined ? undefined : endOfElement(head, size);
}

/** Where the contents of the one segment begin in a Matroska file that begins with `head`; `undefined` for others. */
export function segmentStart(head: Buffer): number | undefined {
  const size = segmentSizeAt(head);
  const first = size === undefined ? undefined : head[size];
  return size === undefined || !first ? undefined : size + Math.clz32(first) - 23;
}

/** Where the size of the one segment stands. */
function segmentSizeAt(head: Buffer): number | undefined {
  if (head.toString("hex", 0, 4) !== headerId) return undefined;
  const headerEnd = endOfElement(head, 4);
  if (headerEnd === undefined || headerEnd + 12 > head.length) return undefined;
  const isSegment = head.toString("hex", headerEnd, headerEnd + 4) === segmentId;
  return isSegment ? headerEnd + 4 : undefined;
}

/**
 * Where an element ends whose size, a number of one to eight bytes, stands at `at`.
 *
 * The first byte's leading zeros count the bytes that follow; all ones in the rest: unknown size.
 */
export function endOfElement(bytes: Buffer, at: number): number | undefined {
  const first = bytes[at];
  if (first === undefined || first === 0) return undefined;
  const length = Math.clz32(first) - 23;
  if (at + length > bytes.length) return undefined;
  const value = BigInt(`0x${bytes.toString("hex", at, at + length)}`);
  const mask = (1n << BigInt(7 * length)) - 1n;
  const size = value & mask;
  return size === mask ? undefined : at + length + Number(size);
}
