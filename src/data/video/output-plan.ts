import { basename } from "node:path";
import { AVCOL_RANGE_JPEG, AVCOL_RANGE_MPEG } from "node-av/constants";
import { UserError } from "../../engine/errors.ts";
import type { Encoding } from "./codecs.ts";
import { type ColourTags, rgbColour, standardColour } from "./colour.ts";
import { chooseEncoding, type Container, containerFor, type EncodingChoice } from "./containers.ts";
import { requireWritable } from "./output-file.ts";
import { shownAspect, turnBack } from "./orientation.ts";
import type { OutputPicture } from "./output.ts";
import { isRgbFormat } from "./picture.ts";
import type { VideoInfo } from "./probe.ts";

/** How an edit of a source will be written. */
export interface OutputPlan {
  readonly container: Container;
  readonly encoding: Encoding;
  readonly picture: OutputPicture;
  /** A picture as shown, brought to how it is stored. */
  readonly turn: (rgb: Uint8Array) => Uint8Array;
  /** One sentence for each thing of the source that the output will not have. */
  readonly notices: readonly string[];
}

/**
 * Plans how an edit of `source` is written to `output`, and says what will not be as in the source.
 *
 * Throws a UserError of one sentence if it cannot be: unknown extension, missing or read-only folder, the input
 * itself, a codec or a frame rate that the container cannot hold. Costs nothing, so it can be asked before a model
 * is loaded.
 */
export async function planOutput(
  source: VideoInfo,
  output: string,
  choice: EncodingChoice = {},
): Promise<OutputPlan> {
  const container = containerFor(output);
  await requireWritable(output, source.path);
  requireHoldable(source, container);
  const size = storedSize(source, container);
  const encoding = chooseEncoding(container, choice, size);
  const isTurned = source.rotation !== 0 || source.mirrored;
  const picture = storedPicture(source, container, encoding);
  return {
    container,
    encoding,
    picture,
    turn: (rgb) =>
      isTurned && container.carriesRotation
        ? turnBack(rgb, source.codedWidth, source.codedHeight, source)
        : rgb,
    notices: noticesOf(source, { container, encoding, picture }),
  };
}

function requireHoldable(source: VideoInfo, container: Container): void {
  const { label, clock, carriesAudio, audioCodecs } = container;
  if (clock === "frame-number" && source.variableFrameRate === true) {
    throw new UserError(
      `${label} cannot hold the variable frame rate of ${source.path}: write .mp4 or .mkv instead.`,
    );
  }
  if (clock === "frame-number" && source.hasAudio && beginsLate(source)) {
    throw new UserError(
      `${label} cannot hold pictures that begin ${source.startSeconds.toFixed(2)} s after the sound, ` +
        `as those of ${source.path}: write .mp4 or .mkv instead.`,
    );
  }
  const foreign = source.audioCodecs.filter((codec) => audioCodecs && !audioCodecs.has(codec));
  if (carriesAudio && foreign.length > 0) throw foreignAudio(source, container);
}

/** Whether the first picture is shown later than half a picture's time after the start. */
function beginsLate({ startSeconds, frameRate }: VideoInfo): boolean {
  return startSeconds > (0.5 * frameRate.den) / frameRate.num;
}

/** The refusal of a container that has no place for the source's sound. */
export function foreignAudio(source: VideoInfo, { label }: Container, cause?: unknown): UserError {
  return new UserError(
    `${label} cannot hold the ${source.audioCodecs.join(" and ")} audio of ` +
      `${source.path}: write .mkv instead.`,
    { cause },
  );
}

/** As coded if the container carries the rotation, as shown if the pixels have to be turned. */
function storedSize(source: VideoInfo, { carriesRotation }: Container) {
  return carriesRotation
    ? { width: source.codedWidth, height: source.codedHeight }
    : { width: source.width, height: source.height };
}

function storedPicture(source: VideoInfo, container: Container, encoding: Encoding): OutputPicture {
  return {
    ...storedSize(source, container),
    colour: storedColour(source.colour, encoding),
    frameRate: source.frameRate,
    timeBase: source.timeBase,
    sampleAspectRatio: container.carriesRotation ? source.sampleAspectRatio : shownAspect(source),
    displayMatrix: container.carriesRotation ? source.displayMatrix : null,
  };
}

/** The source's tags, but for what the encoder's pixels say otherwise: RGB has no matrix, ProRes no full range. */
export function storedColour(colour: ColourTags, { format, fullRange }: Encoding): ColourTags {
  if (isRgbFormat(format)) {
    return { ...rgbColour, primaries: colour.primaries, transfer: colour.transfer };
  }
  return fullRange || colour.range !== AVCOL_RANGE_JPEG
    ? colour
    : { ...colour, range: AVCOL_RANGE_MPEG };
}

type Planned = Pick<OutputPlan, "container" | "encoding" | "picture">;

function noticesOf(source: VideoInfo, plan: Planned): string[] {
  const name = basename(source.path);
  return [...pictureNotices(source, plan, name), ...streamNotices(source, plan, name)];
}

/** What is different about the pictures. */
function pictureNotices(
  source: VideoInfo,
  { container, encoding, picture }: Planned,
  name: string,
): string[] {
  const { bitDepth, hdr, hasAlpha, rotation, mirrored, sampleAspectRatio: aspect } = source;
  const { label } = container;
  const notices: string[] = [];
  if (bitDepth > 8 || hdr !== null) {
    const what =
      hdr === null ? `${bitDepth} bits a channel` : `${bitDepth} bits a channel and HDR (${hdr})`;
    notices.push(`${name} has ${what}: it is edited with 8 bits, its colour tags are kept`);
  }
  if (hasAlpha) notices.push(`the transparency of ${name} is lost`);
  if ((rotation !== 0 || mirrored) && !container.carriesRotation) {
    notices.push(`${label} cannot say how to turn the picture: its pixels are turned instead`);
  }
  if (aspect.num > 0 && aspect.num !== aspect.den && !container.carriesAspect) {
    notices.push(
      `${label} cannot say that pixels are not square (${aspect.num}:${aspect.den}): players will show another shape`,
    );
  }
  if ((encoding.codec === "h264" || encoding.codec === "hevc") && isOdd(picture)) {
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

const isOdd = ({ width, height }: OutputPicture) => width % 2 === 1 || height % 2 === 1;

/** What else of the file is left out. */
function streamNotices(source: VideoInfo, { container }: Planned, name: string): string[] {
  const { label, carriesAudio, subtitleCodecs } = container;
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
  if (source.hasChapters) notices.push(`the chapters of ${name} are left out`);
  if (source.contentCredentials !== null) {
    notices.push(
      `${name} carries content credentials (C2PA, ${source.contentCredentials}): they do not apply to the result and are left out`,
    );
  }
  return notices;
}

/** The tags of new pictures, as an encoder stores them. */
export function newColour(encoding: Encoding): ColourTags {
  return storedColour(standardColour, encoding);
}
