import { extname } from "node:path";
import { UserError } from "../../engine/errors.ts";
import { type Codec, type Encoding, encodingFor, type Quality } from "./codecs.ts";

/** How video is stored in one kind of file. */
export interface Container {
  /** FFmpeg's name of the muxer. */
  readonly muxer: string;
  readonly label: string;
  /** The codecs it can hold, the default first. */
  readonly codecs: readonly [Codec, ...Codec[]];
  /** Encoder options that the container demands of a codec. */
  readonly encoderOptions?: Readonly<Partial<Record<Codec, Readonly<Record<string, string>>>>>;
  readonly muxerOptions: Readonly<Record<string, string>>;
  /** Whether four letters name the codec of a stream. */
  readonly tagsCodecs: boolean;
  /** Whether each packet stores the gap to the next in decoding order, not how long its picture is shown. */
  readonly durationsInDecodingOrder: boolean;
  /**
   * What timestamps are written in: the source's own ticks (rounded by Matroska to 1 ms),
   * hundredths of a second, or frame numbers (constant frame rate only).
   */
  readonly clock: "source" | "centiseconds" | "frame-number";
  readonly carriesAudio: boolean;
  /** Whether it says of MPEG's sound which layer (MP2, MP3) it is of; the sound itself says so in any case. */
  readonly namesAudioLayers: boolean;
  /** FFmpeg's names of the subtitle codecs it can hold. */
  readonly subtitleCodecs: ReadonlySet<string>;
  /**
   * How far before the start audio may be stored that is decoded and not heard: any distance with
   * an edit list, a codec's delay in Matroska, not at all in AVI.
   */
  readonly earliestAudioSeconds: number;
  /** Whether it can say how to turn the picture; where it cannot, the pixels are turned. */
  readonly carriesRotation: boolean;
  /** Whether it can say that pixels are not square. */
  readonly carriesAspect: boolean;
  /** Whether it has a place for colour tags of its own, beside what a codec says in its stream. */
  readonly carriesColour: boolean;
  /** Where it keeps an XMP packet: a `uuid` box, an extension block; else a tag of its own says the same. */
  readonly xmpPlace: "uuid" | "extension" | "tag" | null;
  /** Where it keeps chapters: Nero's table in the index, Matroska's in filler before the pictures. */
  readonly chapterPlace: "nero" | "filler" | null;
}

const mp4: Container = {
  muxer: "mp4",
  label: "MP4",
  codecs: ["h264", "hevc", "av1", "vp9"],
  muxerOptions: { movflags: "+faststart" },
  tagsCodecs: true,
  durationsInDecodingOrder: true,
  clock: "source",
  carriesAudio: true,
  namesAudioLayers: false,
  subtitleCodecs: new Set(["mov_text"]),
  earliestAudioSeconds: -Infinity,
  carriesRotation: true,
  carriesAspect: true,
  carriesColour: true,
  xmpPlace: "uuid",
  chapterPlace: "nero",
};

const matroska: Container = {
  ...mp4,
  muxer: "matroska",
  label: "Matroska",
  codecs: ["h264", "hevc", "av1", "vp9", "prores", "ffv1"],
  subtitleCodecs: new Set(
    "subrip ass ssa webvtt dvd_subtitle hdmv_pgs_subtitle dvb_subtitle hdmv_text_subtitle".split(
      " ",
    ),
  ),
  // Without it the muxer gives every file an identity of its own, drawn at random.
  muxerOptions: { fflags: "+bitexact" },
  tagsCodecs: false,
  durationsInDecodingOrder: false,
  namesAudioLayers: true,
  earliestAudioSeconds: -0.1,
  xmpPlace: "tag",
  chapterPlace: "filler",
};

const containers: Readonly<Record<string, Container>> = {
  ".mp4": mp4,
  ".m4v": mp4,
  ".mov": {
    ...mp4,
    muxer: "mov",
    label: "QuickTime",
    codecs: ["h264", "hevc", "prores"],
    namesAudioLayers: true,
  },
  ".mkv": matroska,
  ".webm": {
    ...matroska,
    muxer: "webm",
    label: "WebM",
    codecs: ["vp9", "av1"],
    subtitleCodecs: new Set(["webvtt"]),
    chapterPlace: null,
  },
  ".avi": {
    ...matroska,
    muxer: "avi",
    label: "AVI",
    codecs: ["h264", "ffv1"],
    // AVI has no presentation times: pictures must be stored in the order they are shown.
    encoderOptions: { h264: { bf: "0" } },
    clock: "frame-number",
    subtitleCodecs: new Set(),
    earliestAudioSeconds: 0,
    carriesRotation: false,
    carriesAspect: false,
    carriesColour: false,
    xmpPlace: null,
    chapterPlace: null,
  },
  ".gif": {
    ...matroska,
    muxer: "gif",
    label: "GIF",
    codecs: ["gif"],
    clock: "centiseconds",
    carriesAudio: false,
    subtitleCodecs: new Set(),
    carriesRotation: false,
    carriesAspect: false,
    carriesColour: false,
    xmpPlace: "extension",
    chapterPlace: null,
  },
};

/** The container that a file name's extension asks for; throws a UserError for any other. */
export function containerFor(path: string): Container {
  const extension = extname(path).toLowerCase();
  const container = containers[extension];
  if (container) return container;
  const known = Object.keys(containers).join(", ");
  const given = extension === "" ? "no extension" : `the extension ${extension}`;
  throw new UserError(
    `The output ${path} has ${given}: name it with one of ${known}, or end it with / for a folder of pictures.`,
  );
}

/** How pictures are to be coded; what is left out is the container's own choice. */
export interface EncodingChoice {
  readonly codec?: Codec | undefined;
  /** A name, or the codec's own number (CRF); `good` by default. */
  readonly quality?: Quality | number | undefined;
}

/**
 * The encoder for pictures of `width × height`, as stored, in a container.
 *
 * Throws a UserError that names what the container can hold for a codec that it cannot.
 */
export function chooseEncoding(
  container: Container,
  { codec = container.codecs[0], quality = "good" }: EncodingChoice,
  size: { readonly width: number; readonly height: number },
): Encoding {
  if (!container.codecs.includes(codec)) {
    const able = Object.entries(containers).filter(([, other]) => other.codecs.includes(codec));
    throw new UserError(
      `${container.label} cannot hold ${codec}: it holds ${either(container.codecs)}; ` +
        `write ${either(able.map(([extension]) => extension))} for ${codec}.`,
    );
  }
  const encoding = encodingFor(codec, quality, size);
  const demanded = container.encoderOptions?.[codec];
  return demanded ? { ...encoding, options: { ...encoding.options, ...demanded } } : encoding;
}

/** `a`, `a or b`, `a, b or c`. */
function either(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} or ${last}`;
}
