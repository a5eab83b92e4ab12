import {
  AV_PIX_FMT_RGB24,
  AV_PIX_FMT_YUV420P,
  AV_PIX_FMT_YUV422P10LE,
  AV_PIX_FMT_YUV444P,
  AVCOL_RANGE_JPEG,
} from "node-av/constants";
import { Frame, SoftwareScaleContext } from "node-av/lib";
import { expect, test } from "vitest";
import { invariant } from "../../engine/errors.ts";
import { rgbColour, standardColour } from "./colour.ts";
import { packedBytes, PictureConverter } from "./picture.ts";

const formats = [
  ["4:2:0", AV_PIX_FMT_YUV420P],
  ["4:2:2 of 10 bits", AV_PIX_FMT_YUV422P10LE],
  ["4:4:4", AV_PIX_FMT_YUV444P],
] as const;
const sizes = [
  { width: 64, height: 48 },
  { width: 63, height: 47 },
  { width: 40, height: 91 },
];

/** What FFmpeg makes of a frame in one step, with the converter's flags. */
function inOneStep(decoded: Frame, { width, height }: { width: number; height: number }) {
  using scaler = new SoftwareScaleContext();
  scaler.allocContext();
  scaler.setOption("sws_flags", "accurate_rnd+full_chroma_int+full_chroma_inp+bicubic");
  using rgb = new Frame();
  rgb.alloc();
  rgb.width = width;
  rgb.height = height;
  rgb.format = AV_PIX_FMT_RGB24;
  rgb.colorSpace = rgbColour.space;
  rgb.colorRange = rgbColour.range;
  invariant(rgb.getBuffer() >= 0, "memory for a picture");
  invariant(scaler.scaleFrameSync(rgb, decoded) >= 0, "the picture is converted");
  return packedBytes(rgb);
}

test.each(formats)(
  "%s becomes RGB by way of planes as it does in one step",
  async (_name, format) => {
    const own = { width: 64, height: 48 };
    const noise = Uint8Array.from({ length: 64 * 48 * 3 }, (_, at) => (at * 2_654_435_761) >>> 24);
    using converter = new PictureConverter();
    for (const range of [standardColour.range, AVCOL_RANGE_JPEG]) {
      using decoded = await converter.fromRgb(noise, own, format, { ...standardColour, range });
      for (const size of sizes) {
        using other = new PictureConverter();
        expect(await other.toRgb(decoded, size)).toEqual(inOneStep(decoded, size));
      }
    }
  },
);
