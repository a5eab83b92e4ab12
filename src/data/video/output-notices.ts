import { basename } from "node:path";
import { AVCOL_RANGE_JPEG } from "node-av/constants";
import { heldChapters } from "./chapters.ts";
import type { Codec, Encoding } from "./codecs.ts";
import type { Container } from "./containers.ts";
import type { OutputPicture } from "./output.ts";
import type { VideoInfo } from "./video-info.ts";

/** How an edit will be stored in a file. */
export interface StoredAs {
  readonly container: Container;
  readonly encoding: Encoding;
  readonly picture: OutputPicture;
}

/** A sentence for each thing of a source that a file will not have. */
export function fileNotices(source: VideoInfo, stored: StoredAs): string[] {
  return [
    ...frameNotices(source, "its colour tags are kept"),
    ...timeNotices(source),
    ...storageNotices(source, stored),
    ...streamNotices(source, stored.container),
    ...creditNotices(source),
  ];
}

/** A sentence for each thing of a source that a folder of pictures will not have. */
export function folderNotices(source: VideoInfo): string[] {
  return looseNotices(source, "a folder of pictures");
}

/** The same of a single picture. */
export function pictureNotices(source: VideoInfo): string[] {
  return looseNotices(source, "a picture");
}

function looseNotices(source: VideoInfo, label: string): string[] {
  return [
    ...frameNotices(source, "its colour tags are left out"),
    ...streamNotices(source, { ...loose, label }),
    ...creditNotices(source),
  ];
}

/** What can hold sound, subtitles and chapters, or not. */
type Holder = Pick<Container, "label" | "carriesAudio" | "subtitleCodecs" | "chapterPlace">;

const loose: Omit<Holder, "label"> = {
  carriesAudio: false,
  subtitleCodecs: new Set(),
  chapterPlace: null,
};

/** What an edit changes of the pictures, wherever they are stored. */
function frameNotices(source: VideoInfo, ofTags: string): string[] {
  const { bitDepth, hdr, hasAlpha, isInterlaced } = source;
  const name = basename(source.name);
  const notices: string[] = [];
  if (bitDepth > 8 || hdr !== null) {
    const what =
      hdr === null ? `${bitDepth} bits a channel` : `${bitDepth} bits a channel and HDR (${hdr})`;
    notices.push(`${name} has ${what}: it is edited with 8 bits, ${ofTags}`);
  }
  if (hasAlpha) notices.push(`the transparency of ${name} is lost`);
  if (isInterlaced) {
    notices.push(
      `${name} is interlaced: both fields of a picture are edited as one and stored as progressive; deinterlace it first for clean edges`,
    );
  }
  return notices;
}

function timeNotices({ name, pictures, frames, frameRate }: VideoInfo): string[] {
  if (pictures !== "untimed" || frames === 1) return [];
  const rate = frameRate.num / frameRate.den;
  return [`nothing says how long each picture of ${basename(name)} is shown: ${rate} a second`];
}

/** What is different because of the container and the codec. */
function storageNotices(source: VideoInfo, { container, encoding, picture }: StoredAs): string[] {
  const { rotation, mirrored, sampleAspectRatio: aspect } = source;
  const { label } = container;
  const notices: string[] = [];
  if ((rotation !== 0 || mirrored) && !container.carriesRotation) {
    notices.push(`${label} cannot say how to turn the picture: its pixels are turned instead`);
  }
  if (aspect.num > 0 && aspect.num !== aspect.den && !container.carriesAspect) {
    notices.push(
      `${label} cannot say that pixels are not square (${aspect.num}:${aspect.den}): players will show another shape`,
    );
  }
  if (isOddlyStored(encoding.codec, picture)) {
    notices.push(
      `an odd size (${picture.width} × ${picture.height}) is stored in 4:4:4, which QuickTime and Safari do not play`,
    );
  }
  if (!encoding.fullRange && source.colour.range === AVCOL_RANGE_JPEG) {
    notices.push(
      `${encoding.codec} has no full colour range: the same colours are stored in the limited one`,
    );
  }
  if (container.clock !== "source" && beginsLate(source)) {
    notices.push(
      `${label} begins with its first picture: the ${source.startSeconds.toFixed(2)} s before it are left out`,
    );
  }
  if (container.clock === "centiseconds") {
    notices.push(`${label} keeps 256 colours a picture, and times to 1/100 s`);
  }
  return notices;
}

function isOddlyStored(codec: Codec, { width, height }: OutputPicture): boolean {
  const isOdd = width % 2 === 1 || height % 2 === 1;
  return isOdd && (codec === "h264" || codec === "hevc");
}

/** Whether the first picture is shown later than half a picture's time after the start. */
export function beginsLate({ startSeconds, frameRate }: VideoInfo): boolean {
  return startSeconds > (0.5 * frameRate.den) / frameRate.num;
}

/** What else of the file is left out. */
function streamNotices(source: VideoInfo, holder: Holder): string[] {
  const { label, carriesAudio, subtitleCodecs } = holder;
  const name = basename(source.name);
  const notices: string[] = [];
  if (source.hasAudio && !carriesAudio)
    notices.push(`${label} has no sound: the audio of ${name} is left out`);
  const foreign = source.subtitleCodecs.filter((codec) => !subtitleCodecs.has(codec));
  if (foreign.length > 0) {
    notices.push(
      `${label} cannot hold ${[...new Set(foreign)].join(" and ")} subtitles: they are left out`,
    );
  }
  if (source.others.length > 0) {
    notices.push(
      `${name} also has ${source.others.join(" and ")}, which no edit carries: left out`,
    );
  }
  return [...notices, ...chapterNotices(source, holder)];
}

function chapterNotices({ name, chapters }: VideoInfo, holder: Holder): string[] {
  const held = heldChapters(holder, chapters);
  if (chapters.length > 0 && held.length === 0) {
    return [`${holder.label} has no chapters: those of ${basename(name)} are left out`];
  }
  const isCut = held.some(({ title }, index) => title !== chapters[index]?.title);
  return [
    ...(held.length < chapters.length
      ? [
          `${holder.label} holds ${held.length} chapters: the last ${chapters.length - held.length} are left out`,
        ]
      : []),
    ...(isCut ? [`${holder.label} holds chapter titles of 255 bytes: longer ones are cut`] : []),
  ];
}

function creditNotices({ name, contentCredentials }: VideoInfo): string[] {
  if (contentCredentials === null) return [];
  return [
    `${basename(name)} carries content credentials (C2PA, ${contentCredentials}): they do not apply to the result and are left out`,
  ];
}
