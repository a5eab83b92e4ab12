import { open } from "node:fs/promises";
import { elementAt, endOfElement, leadingLength } from "./ebml.ts";

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
  return size === undefined || !first ? undefined : size + leadingLength(first);
}

/** Where the size of the one segment stands. */
function segmentSizeAt(head: Buffer): number | undefined {
  const header = elementAt(head, 0);
  if (header?.id !== headerId || header.end + 12 > head.length) return undefined;
  const isSegment = head.toString("hex", header.end, header.end + 4) === segmentId;
  return isSegment ? header.end + 4 : undefined;
}
