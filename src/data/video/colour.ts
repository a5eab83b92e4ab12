import {
  AVCHROMA_LOC_LEFT,
  AVCHROMA_LOC_UNSPECIFIED,
  AVCOL_PRI_BT709,
  AVCOL_PRI_UNSPECIFIED,
  AVCOL_RANGE_JPEG,
  AVCOL_RANGE_MPEG,
  AVCOL_SPC_BT709,
  AVCOL_SPC_RGB,
  AVCOL_SPC_SMPTE170M,
  AVCOL_SPC_UNSPECIFIED,
  AVCOL_TRC_BT709,
  AVCOL_TRC_UNSPECIFIED,
  type AVChromaLocation,
  type AVColorPrimaries,
  type AVColorRange,
  type AVColorSpace,
  type AVColorTransferCharacteristic,
} from "node-av/constants";
import type { CodecParameters } from "node-av/lib";

/** What a stream says about how its numbers are to be read as colours. */
export interface ColourTags {
  readonly space: AVColorSpace;
  readonly range: AVColorRange;
  readonly primaries: AVColorPrimaries;
  readonly transfer: AVColorTransferCharacteristic;
  readonly chromaLocation: AVChromaLocation;
}

/** The tags of new video: BT.709, limited range, which every player reads. */
export const standardColour: ColourTags = {
  space: AVCOL_SPC_BT709,
  range: AVCOL_RANGE_MPEG,
  primaries: AVCOL_PRI_BT709,
  transfer: AVCOL_TRC_BT709,
  chromaLocation: AVCHROMA_LOC_LEFT,
};

/**
 * The tags to write for a source's tags: the same, so that players show both alike.
 *
 * A source that stores RGB (gif, screen recordings) has no matrix to keep and becomes BT.709.
 */
export function outputColour(parameters: CodecParameters, isRgb: boolean): ColourTags {
  if (isRgb || parameters.colorSpace === AVCOL_SPC_RGB) return standardColour;
  return {
    space: parameters.colorSpace,
    range: parameters.colorRange,
    primaries: parameters.colorPrimaries,
    transfer: parameters.colorTrc,
    chromaLocation: parameters.chromaLocation,
  };
}

/** The matrix a player takes for a picture: what is tagged, else BT.601 below 720 lines, BT.709 above. */
export function effectiveSpace(space: AVColorSpace, height: number): AVColorSpace {
  if (space !== AVCOL_SPC_UNSPECIFIED) return space;
  return height >= 720 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
}

/** Where a player takes the colour samples to lie: left of the block, as MPEG does, unless tagged. */
export function effectiveChroma(location: AVChromaLocation): AVChromaLocation {
  return location === AVCHROMA_LOC_UNSPECIFIED ? AVCHROMA_LOC_LEFT : location;
}

/** The range a player takes: limited unless tagged full. */
export function effectiveRange(range: AVColorRange): AVColorRange {
  return range === AVCOL_RANGE_JPEG ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG;
}

/** The tags of an RGB picture in memory: full range, primaries and transfer left as they are. */
export const rgbColour: ColourTags = {
  space: AVCOL_SPC_RGB,
  range: AVCOL_RANGE_JPEG,
  primaries: AVCOL_PRI_UNSPECIFIED,
  transfer: AVCOL_TRC_UNSPECIFIED,
  chromaLocation: AVCHROMA_LOC_UNSPECIFIED,
};
