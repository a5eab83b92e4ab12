import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ShapeError } from "../../engine/errors.ts";
import { CLIP_UNITS, inUnits } from "../../models/vision/pixel-units.ts";
import { noisePicture } from "../../../test/support/noise-picture.ts";
import { toPixels } from "../pixels.ts";
import { clipPicture } from "./clip-picture.ts";
import { resizeBicubic } from "./resize-bicubic.ts";
import { resizeBilinear } from "./resize-bilinear.ts";
import type { RgbImage } from "./rgb-image.ts";

const golden = new URL("../../../test/golden/image/", import.meta.url).pathname;
const side = z.int().positive();
const Resize = z.object({
  width: side,
  height: side,
  toWidth: side,
  toHeight: side,
  sha256: z.string(),
});
const Crop = z.object({
  width: side,
  height: side,
  size: side,
  sha256: z.string(),
  normalised: z.array(z.number()).optional(),
});

function stored<T>(file: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(`${golden}${file}`, "utf8")));
}

function sha256({ rgb }: RgbImage): string {
  return createHash("sha256").update(rgb).digest("hex");
}

function flat(width: number, height: number): RgbImage {
  const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => [255, 17, 0][i % 3]!);
  return { rgb, width, height };
}

const pillow = stored("pillow.json", z.object({ resizes: z.array(Resize), crops: z.array(Crop) }));

describe("resizeBicubic", () => {
  test.each(pillow.resizes)(
    "gives Pillow's bytes from $width×$height to $toWidth×$toHeight",
    ({ width, height, toWidth, toHeight, sha256: expected }) => {
      const to = { width: toWidth, height: toHeight };
      const resized = resizeBicubic(noisePicture(width, height), to);
      expect(resized).toMatchObject(to);
      expect(sha256(resized)).toBe(expected);
    },
  );

  test("leaves a flat picture flat", () => {
    expect(resizeBicubic(flat(31, 17), { width: 9, height: 40 })).toEqual(flat(9, 40));
  });

  test("refuses bytes of another size", () => {
    const wrong = { rgb: new Uint8Array(5), width: 2, height: 1 };
    expect(() => resizeBicubic(wrong, { width: 1, height: 1 })).toThrow(
      new ShapeError("A 2 × 1 RGB picture has 6 bytes, got 5."),
    );
  });
});

describe("resizeBilinear", () => {
  test.each(stored("opencv.json", z.array(Resize)))(
    "gives OpenCV's bytes from $width×$height to $toWidth×$toHeight",
    ({ width, height, toWidth, toHeight, sha256: expected }) => {
      const to = { width: toWidth, height: toHeight };
      const resized = resizeBilinear(noisePicture(width, height), to);
      expect(resized).toMatchObject(to);
      expect(sha256(resized)).toBe(expected);
    },
  );

  test("leaves a flat picture flat", () => {
    expect(resizeBilinear(flat(31, 17), { width: 9, height: 40 })).toEqual(flat(9, 40));
  });

  test("reads no more than four pixels, however much it shrinks", () => {
    const { rgb, width, height } = flat(9, 9);
    rgb.fill(0, 0, 3 * 9);
    expect(resizeBilinear({ rgb, width, height }, { width: 1, height: 1 }).rgb[0]).toBe(255);
  });
});

describe("clipPicture", () => {
  test.each(pillow.crops)(
    "gives CLIPImageProcessor's bytes for $width×$height",
    ({ width, height, size, sha256: expected }) => {
      expect(sha256(clipPicture(noisePicture(width, height), size))).toBe(expected);
    },
  );

  test("becomes CLIPImageProcessor's values in CLIP's units", () => {
    const crop = pillow.crops.find(({ normalised }) => normalised !== undefined);
    if (!crop?.normalised) throw new Error("no golden values");
    const { rgb } = clipPicture(noisePicture(crop.width, crop.height), crop.size);
    const found = inUnits(toPixels([rgb], crop.size, crop.size), CLIP_UNITS).toFloat32Array();
    const differences = crop.normalised.map((value, index) => Math.abs(value - found[index]!));
    expect(found).toHaveLength(crop.normalised.length);
    // float32 of values up to 2.2
    expect(Math.max(...differences)).toBeLessThan(1e-6);
  });
});
