import { AVCOL_RANGE_JPEG, AVCOL_RANGE_MPEG } from "node-av/constants";
import { UserError } from "../../engine/errors.ts";
import type { Encoding } from "./codecs.ts";
import { type ColourTags, rgbColour, standardColour } from "./colour.ts";
import { chooseEncoding, type Container, containerFor, type EncodingChoice } from "./containers.ts";
import { requireWritable } from "../output-file.ts";
import { shownAspect, turnBack } from "./orientation.ts";
import { beginsLate, fileNotices, type StoredAs } from "./output-notices.ts";
import type { OutputPicture } from "./output.ts";
import { isRgbFormat } from "./picture.ts";
import type { VideoInfo } from "./video-info.ts";

/** How an edit of a source will be written. */
export interface OutputPlan extends StoredAs {
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
  await requireWritable(output, source.path ?? undefined);
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
    notices: fileNotices(source, { container, encoding, picture }),
  };
}

function requireHoldable(source: VideoInfo, container: Container): void {
  const { label, clock } = container;
  if (clock === "frame-number" && source.variableFrameRate === true) {
    const told = source.path === null ? "give framesPerSecond, or " : "";
    throw new UserError(
      `${label} cannot hold the variable frame rate of ${source.name}: ${told}write .mp4 or .mkv instead.`,
    );
  }
  if (clock === "frame-number" && source.hasAudio && beginsLate(source)) {
    throw new UserError(
      `${label} cannot hold pictures that begin ${source.startSeconds.toFixed(2)} s after the sound, ` +
        `as those of ${source.name}: write .mp4 or .mkv instead.`,
    );
  }
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

/** The tags of new pictures, as an encoder stores them. */
export function newColour(encoding: Encoding): ColourTags {
  return storedColour(standardColour, encoding);
}
