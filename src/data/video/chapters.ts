import { type FileHandle, open } from "node:fs/promises";
import { AVDISCARD_DEFAULT, AVMEDIA_TYPE_DATA, AVSEEK_FLAG_BACKWARD } from "node-av/constants";
import { Packet, type Stream } from "node-av/lib";
import { readBytes } from "./boxes.ts";
import type { Chapter } from "./chapter.ts";
import {
  fillMatroskaChapters,
  matroskaChapterTable,
  readMatroskaChapters,
} from "./chapters-matroska.ts";
import { asNeroHoldsThem, insertNeroChapters, readNeroChapters } from "./chapters-mp4.ts";
import type { Container } from "./containers.ts";
import { discardOthers, type OpenMedia } from "./media.ts";
import { rescale } from "./time-base.ts";

/** The chapters of a video, and in words what else there is of that kind that no edit carries. */
export interface FoundChapters {
  readonly chapters: readonly Chapter[];
  readonly others: readonly string[];
}

const nanoseconds = { num: 1, den: 1_000_000_000 };

/**
 * Reads the chapters of an open video: QuickTime's track of texts, else Nero's table, in mp4 and mov; the first edition
 * in Matroska and WebM. Leaves the demuxer at the end of that track.
 */
export async function readChapters(file: FileHandle, media: OpenMedia): Promise<FoundChapters> {
  const { chapters, others } = await chaptersIn(file, media);
  return { chapters: chapters.flatMap(inTime), others };
}

/** Times from here on, 292 years, are damage: not every table can hold them. */
const endOfTime = 2n ** 63n;

/** A chapter that begins no earlier than its video; none where it begins beyond all videos. */
function inTime({ start, end, title }: Chapter): Chapter[] {
  if (start >= endOfTime) return [];
  const isEndKnown = end !== null && end >= 0n && end < endOfTime;
  return [{ start: start < 0n ? 0n : start, end: isEndKnown ? end : null, title }];
}

async function chaptersIn(file: FileHandle, media: OpenMedia): Promise<FoundChapters> {
  const track = media.context.streams.find(isChapterTrack);
  if (track) return { chapters: await readTrack(media, track), others: [] };
  const isMp4 = (await readBytes(file, 4, 4)).toString("latin1") === "ftyp";
  if (isMp4) return { chapters: await readNeroChapters(file), others: [] };
  return await readMatroskaChapters(file);
}

/** QuickTime's chapters are a track of texts, which FFmpeg shows as data. */
export function isChapterTrack({ codecpar }: Stream): boolean {
  return (
    codecpar.codecType === AVMEDIA_TYPE_DATA && /^(text|tx3g)$/.test(codecpar.codecTagString ?? "")
  );
}

async function readTrack(media: OpenMedia, track: Stream): Promise<Chapter[]> {
  const { context } = media;
  discardOthers(media, [track]);
  track.discard = AVDISCARD_DEFAULT;
  await context.seekFrame(track.index, 0n, AVSEEK_FLAG_BACKWARD);
  const chapters: Chapter[] = [];
  using packet = new Packet();
  packet.alloc();
  for (; (await context.readFrame(packet)) >= 0; packet.unref()) {
    const { data, pts, duration } = packet;
    if (packet.streamIndex !== track.index || !data || data.length < 2) continue;
    const start = rescale(pts, track.timeBase, nanoseconds);
    const end = duration > 0n ? rescale(pts + duration, track.timeBase, nanoseconds) : null;
    chapters.push({ start, end, title: data.toString("utf8", 2, 2 + data.readUInt16BE(0)) });
  }
  return chapters;
}

/** What a container can hold of chapters; none where it has no place for them. */
export function heldChapters(
  { chapterPlace }: Pick<Container, "chapterPlace">,
  chapters: readonly Chapter[],
): readonly Chapter[] {
  if (chapterPlace === null) return [];
  return chapterPlace === "nero" ? asNeroHoldsThem(chapters) : chapters;
}

/** How many bytes the muxer must leave free before the first picture for chapters; 0 where they find room without. */
export function chapterFiller({ chapterPlace }: Container, chapters: readonly Chapter[]): number {
  const isFilled = chapterPlace === "filler" && chapters.length > 0;
  return isFilled ? matroskaChapterTable(chapters).length : 0;
}

/** Puts chapters, as `heldChapters` gave them, into a finished file. */
export async function embedChapters(
  path: string,
  { chapterPlace }: Container,
  chapters: readonly Chapter[],
): Promise<void> {
  if (chapters.length === 0) return;
  await using file = await open(path, "r+");
  if (chapterPlace === "nero") await insertNeroChapters(file, chapters);
  else await fillMatroskaChapters(file, matroskaChapterTable(chapters));
}
