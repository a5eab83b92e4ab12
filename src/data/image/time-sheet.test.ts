import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { clipFolder } from "../../../test/support/clips.ts";
import { ShapeError, UserError } from "../../engine/errors.ts";
import { readPicture } from "./read-picture.ts";
import type { RgbImage } from "./rgb-image.ts";
import { timeSheet, type TimeBlock } from "./time-sheet.ts";
import { writePicture } from "./write-picture.ts";

function flat(colour: readonly [number, number, number]): RgbImage {
  const rgb = new Uint8Array(32 * 32 * 3).map((_, index) => colour[index % 3]!);
  return { rgb, width: 32, height: 32 };
}

function colourAt({ rgb, width }: RgbImage, x: number, y: number): number[] {
  return [...rgb.subarray(3 * (y * width + x), 3 * (y * width + x) + 3)];
}

const red = [250, 10, 10] as const;
const blue = [10, 10, 250] as const;
const block: TimeBlock = {
  title: "make it blue",
  columns: ["frame 0", "frame 8"],
  rows: [
    { label: "input", images: [flat(red), flat(red)] },
    { label: "edited", images: [flat(blue), flat(red)] },
  ],
};

test("a column of a sheet over time is one moment, a row one version", () => {
  const sheet = timeSheet([block]);
  const [left, right] = [sheet.width - 2 * 36 + 14, sheet.width - 36 + 14];
  const [upper, lower] = [sheet.height - 2 * 36 + 14, sheet.height - 36 + 14];
  expect(colourAt(sheet, left, upper)).toEqual(red);
  expect(colourAt(sheet, right, upper)).toEqual(red);
  expect(colourAt(sheet, left, lower)).toEqual(blue);
  expect(colourAt(sheet, right, lower)).toEqual(red);
});

test("every block has its pictures, under the one before", () => {
  const one = timeSheet([block]);
  const two = timeSheet([block, { ...block, title: "once more" }]);
  expect(two.width).toBe(one.width);
  expect(two.height).toBeGreaterThanOrEqual(2 * one.height - 4);
  expect(colourAt(two, two.width - 36 - 22, two.height - 22)).toEqual(blue);
});

test("rows that do not fill their columns are refused", () => {
  const short = { ...block, columns: ["frame 0", "frame 4", "frame 8"] };
  expect(() => timeSheet([short])).toThrow(
    new ShapeError('"make it blue": expected 3 pictures in the row input, got 2'),
  );
  expect(() => timeSheet([])).toThrow(ShapeError);
});

test("a picture is written as its ending says, or refused", async () => {
  await using folder = await clipFolder();
  await writePicture(folder.file("a.png"), flat(red));
  await writePicture(folder.file("a.JPG"), flat(red));
  expect(await readPicture(folder.file("a.png"))).toMatchObject(flat(red));
  const jpeg = await readPicture(folder.file("a.JPG"));
  const worst = jpeg.rgb.map((value, index) => Math.abs(value - red[index % 3]!));
  expect(Math.max(...worst)).toBeLessThan(8); // of a JPEG's rounding
  const wrong = writePicture(folder.file("a.gif"), flat(red));
  await expect(wrong).rejects.toThrow(UserError);
  await expect(wrong).rejects.toThrow("expected a picture's name that ends with .png or .jpg");
  expect(await readdir(folder.path)).toHaveLength(2);
});
