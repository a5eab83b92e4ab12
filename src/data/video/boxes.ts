import type { FileHandle } from "node:fs/promises";

/** One box of an mp4 or mov file: a size, a type of four letters, and what is in it. */
export interface Box {
  readonly type: string;
  /** Where it begins in the file, header included, and where it ends, in bytes. */
  readonly start: number;
  readonly end: number;
  /** Where its contents begin. */
  readonly contents: number;
}

/** The boxes that lie in a file from `start` to `end`, one after the other; stops at what is no box. */
export async function* boxesOf(
  file: FileHandle,
  start: number,
  end: number,
): AsyncGenerator<Box, void, undefined> {
  for (let at = start; at + 8 <= end;) {
    const head = await readBytes(file, at, 16);
    if (head.length < 8) return;
    const stated = head.readUInt32BE(0);
    const isLong = stated === 1 && head.length === 16;
    const size = isLong ? Number(head.readBigUInt64BE(8)) : stated === 0 ? end - at : stated;
    if (!Number.isFinite(size)) return;
    const contents = at + (isLong ? 16 : 8);
    if (at + size < contents || at + size > end) return;
    yield { type: head.toString("latin1", 4, 8), start: at, end: at + size, contents };
    at += size;
  }
}

/** The size in bytes that an mp4 or mov says it has, by its boxes of index and media. */
export async function statedMp4Size(file: FileHandle, size: number): Promise<number> {
  let stated = 0;
  for await (const { type, end } of boxesOf(file, 0, Infinity)) {
    if (type === "mdat" || type === "moov" || type === "moof") stated = end;
    if (end > size) break;
  }
  return stated;
}

/** The first box at the end of a path of types, such as `["moov", "udta", "chpl"]`. */
export async function findBox(
  file: FileHandle,
  [type, ...inner]: readonly string[],
  start: number,
  end: number,
): Promise<Box | undefined> {
  for await (const box of boxesOf(file, start, end)) {
    if (box.type !== type) continue;
    const found = inner.length === 0 ? box : await findBox(file, inner, box.contents, box.end);
    if (found) return found;
  }
  return undefined;
}

/** Up to `length` bytes of a file from `at`; none where `at` lies behind its end, or beyond what any file has. */
export async function readBytes(file: FileHandle, at: number, length: number): Promise<Buffer> {
  if (!Number.isSafeInteger(at)) return Buffer.alloc(0);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}

/** A box of a type around contents. */
export function boxBytes(type: string, contents: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + contents.length, 0);
  head.write(type, 4, "latin1");
  return Buffer.concat([head, contents]);
}
