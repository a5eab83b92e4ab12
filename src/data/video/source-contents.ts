import { open } from "node:fs/promises";
import {
  AV_DISPOSITION_ATTACHED_PIC,
  AV_PKT_DATA_CONTENT_LIGHT_LEVEL,
  AV_PKT_DATA_MASTERING_DISPLAY_METADATA,
  AV_PKT_DATA_SPHERICAL,
  AV_PKT_DATA_STEREO3D,
  AVCOL_TRC_ARIB_STD_B67,
  AVCOL_TRC_SMPTE2084,
  AVMEDIA_TYPE_AUDIO,
  AVMEDIA_TYPE_DATA,
  AVMEDIA_TYPE_SUBTITLE,
  AVMEDIA_TYPE_VIDEO,
  type AVPacketSideDataType,
} from "node-av/constants";
import { avGetCodecName, type Stream } from "node-av/lib";
import type { Chapter } from "./chapter.ts";
import { isChapterTrack, readChapters } from "./chapters.ts";
import { findContentCredentials } from "./credentials.ts";
import type { OpenMedia } from "./media.ts";
import { pixelFormatName } from "./picture.ts";

/** What a video file holds beside pictures and sound, and how finely its pictures are stored. */
export interface SourceContents {
  /** Bits of each channel. */
  readonly bitDepth: number;
  /** The transfer function of a high dynamic range, by its short name. */
  readonly hdr: "PQ" | "HLG" | null;
  readonly hasAlpha: boolean;
  /** FFmpeg's name of each subtitle stream's codec. */
  readonly subtitleCodecs: readonly string[];
  /** What else there is that no edit carries, in words: `cover art`, `a data stream`. */
  readonly others: readonly string[];
  readonly chapters: readonly Chapter[];
  /** Where content credentials (C2PA) were found, `null` if nowhere. */
  readonly contentCredentials: string | null;
}

/** Reads what a source holds; decodes nothing, and moves the demuxer where it has a track of chapters. */
export async function contentsOf(media: OpenMedia, path: string): Promise<SourceContents> {
  const { video, subtitles, context } = media;
  const format = pixelFormatName(video.codecpar.format);
  const rest = context.streams.filter((stream) => stream.index !== video.index);
  const { colorTrc } = video.codecpar;
  await using file = await open(path);
  const { chapters, others } = await readChapters(file, media);
  return {
    bitDepth: bitDepthOf(format),
    hdr:
      colorTrc === AVCOL_TRC_SMPTE2084 ? "PQ" : colorTrc === AVCOL_TRC_ARIB_STD_B67 ? "HLG" : null,
    hasAlpha: hasAlpha(video, format),
    subtitleCodecs: subtitles.map(({ codecpar }) => avGetCodecName(codecpar.codecId) ?? "unknown"),
    others: [...new Set(rest.map(kindOfOther).filter((kind) => kind !== null)), ...others],
    chapters,
    contentCredentials: await findContentCredentials(file),
  };
}

/** What a stream says of how its pictures are to be shown, beside rotation and colour tags. */
export interface SideData {
  readonly type: AVPacketSideDataType;
  readonly data: Buffer;
}

/** A stream's side data that stays true when its pictures are edited: HDR mastering, 3D, 360°. */
export function keptSideData({ codecpar }: Stream): SideData[] {
  return [
    AV_PKT_DATA_MASTERING_DISPLAY_METADATA,
    AV_PKT_DATA_CONTENT_LIGHT_LEVEL,
    AV_PKT_DATA_SPHERICAL,
    AV_PKT_DATA_STEREO3D,
  ].flatMap((type) => {
    const data = codecpar.getCodedSideData(type);
    return data ? { type, data: Buffer.from(data) } : [];
  });
}

/** From names such as `yuv420p10le`, `p010le`, `gbrp12be`, `rgb48le`. */
function bitDepthOf(format: string): number {
  if (/^(rgb48|bgr48|rgba64|bgra64|gray16|ya16)/.test(format)) return 16;
  const [, semiPlanar, planar] =
    /^p[024](\d\d)|(?:p|gray)(9|1[0246])(?:le|be|msb)/.exec(format) ?? [];
  return Number(semiPlanar ?? planar ?? 8);
}

/** A gif's pictures are always decoded with alpha; whether one shows, only decoding would tell. */
function hasAlpha(video: Stream, format: string): boolean {
  if (avGetCodecName(video.codecpar.codecId) === "gif") return false;
  const stated = video.metadata?.get("alpha_mode") ?? video.metadata?.get("ALPHA_MODE");
  return stated === "1" || /^(yuva|rgba|bgra|argb|abgr|gbrap|ya8|ya16)/.test(format);
}

/** A track of timecodes is written anew of what the video's metadata say. */
function isTimecodeTrack({ codecpar }: Stream): boolean {
  return codecpar.codecType === AVMEDIA_TYPE_DATA && codecpar.codecTagString === "tmcd";
}

function kindOfOther(stream: Stream): string | null {
  if (isChapterTrack(stream) || isTimecodeTrack(stream)) return null;
  switch (stream.codecpar.codecType) {
    case AVMEDIA_TYPE_AUDIO:
    case AVMEDIA_TYPE_SUBTITLE:
      return null;
    case AVMEDIA_TYPE_VIDEO:
      return stream.hasDisposition(AV_DISPOSITION_ATTACHED_PIC)
        ? "cover art"
        : "a further video stream";
    default:
      return "a data stream";
  }
}
