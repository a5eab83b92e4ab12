import type { FileHandle } from "node:fs/promises";
import { DataError } from "../../engine/errors.ts";
import { type Box, boxBytes, boxesOf, findBox, readBytes } from "./boxes.ts";
import type { Chapter } from "./chapter.ts";

/** Nero's table counts in ticks of 100 ns. */
const tick = 100n;
const mostChapters = 255;
const mostTitleBytes = 255;
/** A head of nine bytes, and as much before each title. */
const mostTableBytes = 9 + mostChapters * (9 + mostTitleBytes);

/** The chapters of Nero's table (`moov/udta/chpl`) in an mp4 or mov; it says no ends. */
export async function readNeroChapters(file: FileHandle): Promise<Chapter[]> {
  const { size } = await file.stat();
  const table = await findBox(file, ["moov", "udta", "chpl"], 0, size);
  if (!table) return [];
  const length = Math.min(table.end - table.contents, mostTableBytes);
  const bytes = await readBytes(file, table.contents, length);
  const chapters: Chapter[] = [];
  // A version, three bytes of flags, four more from version 1 on, a count, which may be too high.
  for (let at = bytes[0] === 0 ? 5 : 9; at + 9 <= bytes.length;) {
    const end = at + 9 + bytes[at + 8]!;
    const title = bytes.toString("utf8", at + 9, end);
    chapters.push({ start: bytes.readBigUInt64BE(at) * tick, end: null, title });
    at = end;
  }
  return chapters;
}

/** Chapters as Nero's table can say them: 255 of them, their starts to 100 ns, titles of 255 bytes. */
export function asNeroHoldsThem(chapters: readonly Chapter[]): Chapter[] {
  return chapters.slice(0, mostChapters).map(({ start, title }) => ({
    start: ((start + tick / 2n) / tick) * tick,
    end: null,
    title: cutTitle(title),
  }));
}

/** The whole characters of a title that fit. */
function cutTitle(title: string): string {
  const bytes = Buffer.from(title);
  let length = Math.min(bytes.length, mostTitleBytes);
  while (length < bytes.length && (bytes[length]! & 0xc0) === 0x80) length--;
  return bytes.toString("utf8", 0, length);
}

function neroTable(chapters: readonly Chapter[]): Buffer {
  const entries = chapters.map(({ start, title }) => {
    const text = Buffer.from(title);
    const head = Buffer.alloc(9);
    head.writeBigUInt64BE(start / tick);
    head.writeUInt8(text.length, 8);
    return Buffer.concat([head, text]);
  });
  const head = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, chapters.length]);
  return boxBytes("chpl", Buffer.concat([head, ...entries]));
}

/**
 * Puts Nero's table of chapters into a finished mp4 or mov, at the end of its index.
 *
 * Where the index comes first, all behind it moves, and the places of pictures and sound that it names with them.
 */
export async function insertNeroChapters(
  file: FileHandle,
  chapters: readonly Chapter[],
): Promise<void> {
  const { size } = await file.stat();
  const index = await findBox(file, ["moov"], 0, size);
  if (!index) throw new DataError("There is no index to put the chapters into: edit to .mkv.");
  const texts = await findBox(file, ["moov", "udta"], 0, size);
  const table = neroTable(chapters);
  const addition = texts ? table : boxBytes("udta", table);
  const grown = texts ? [index, texts] : [index];
  for (const box of grown) await growBox(file, box, addition.length);
  for (const place of await placeTables(file, index)) {
    await movePlaces(file, place, index.end, addition.length);
  }
  await insertBytes(file, texts?.end ?? index.end, addition);
}

/** The tables of places in the file (`stco`, `co64`), one a track. */
async function placeTables(file: FileHandle, index: Box): Promise<Box[]> {
  const tables: Box[] = [];
  for await (const track of boxesOf(file, index.contents, index.end)) {
    if (track.type !== "trak") continue;
    for (const type of ["stco", "co64"]) {
      const path = ["mdia", "minf", "stbl", type];
      const table = await findBox(file, path, track.contents, track.end);
      if (table) tables.push(table);
    }
  }
  return tables;
}

async function growBox(file: FileHandle, { start, end }: Box, bytes: number): Promise<void> {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(end - start + bytes);
  await file.write(size, 0, 4, start);
}

/** Moves the places that lie behind `from` by `distance`; they come after a version, flags and a count. */
async function movePlaces(
  file: FileHandle,
  { type, contents, end }: Box,
  from: number,
  distance: number,
): Promise<void> {
  const places = await readBytes(file, contents + 8, end - contents - 8);
  const isLong = type === "co64";
  for (let at = 0; at + (isLong ? 8 : 4) <= places.length; at += isLong ? 8 : 4) {
    const place = isLong ? Number(places.readBigUInt64BE(at)) : places.readUInt32BE(at);
    if (place < from) continue;
    if (isLong) places.writeBigUInt64BE(BigInt(place + distance), at);
    else places.writeUInt32BE(place + distance, at);
  }
  await file.write(places, 0, places.length, contents + 8);
}

const pieceBytes = 2 ** 22;

/** Makes room at `at`, from the end of the file on, and fills it. */
async function insertBytes(file: FileHandle, at: number, bytes: Buffer): Promise<void> {
  const { size } = await file.stat();
  for (let end = size; end > at; end -= pieceBytes) {
    const start = Math.max(at, end - pieceBytes);
    const piece = await readBytes(file, start, end - start);
    await file.write(piece, 0, piece.length, start + bytes.length);
  }
  await file.write(bytes, 0, bytes.length, at);
}
