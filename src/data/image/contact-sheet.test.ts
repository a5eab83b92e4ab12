import { readdir, writeFile } from "node:fs/promises";
import { createCanvas, loadImage } from "@napi-rs/canvas";
import { describe, expect, test } from "vitest";
import { clipFolder } from "../../../test/support/clips.ts";
import { contactSheet, writeContactSheet } from "./contact-sheet.ts";
import { writePng } from "./png.ts";
import type { RgbImage } from "./rgb-image.ts";

function flat(width: number, height: number, colour: readonly [number, number, number]): RgbImage {
  const rgb = new Uint8Array(width * height * 3).map((_, index) => colour[index % 3]!);
  return { rgb, width, height };
}

async function pixelsOf(path: string): Promise<RgbImage> {
  const image = await loadImage(path);
  const context = createCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data, width, height } = context.getImageData(0, 0, image.width, image.height);
  return { rgb: Uint8Array.from(data).filter((_, index) => index % 4 !== 3), width, height };
}

describe("writePng", () => {
  test("stores every pixel exactly", async () => {
    await using folder = await clipFolder();
    const image = {
      ...flat(5, 3, [0, 0, 0]),
      rgb: Uint8Array.from({ length: 45 }, (_, i) => i * 5),
    };
    await writePng(folder.file("a.png"), image.rgb, 5, 3);
    expect(await pixelsOf(folder.file("a.png"))).toEqual(image);
    expect(await readdir(folder.path)).toEqual(["a.png"]);
  });

  test("refuses a missing folder and a wrong length", async () => {
    await using folder = await clipFolder();
    const { rgb } = flat(2, 2, [1, 2, 3]);
    await expect(writePng(folder.file("no/a.png"), rgb, 2, 2)).rejects.toThrow(/does not exist/);
    const wrong = writePng(folder.file("a.png"), rgb, 3, 2);
    await expect(wrong).rejects.toThrow("A 3 × 2 RGB picture has 18 bytes, got 12.");
    await writeFile(folder.file("a.txt"), "");
    expect(await readdir(folder.path)).toEqual(["a.txt"]);
  });
});

describe("contactSheet", () => {
  test("shows each row's pictures side by side, under its label", () => {
    const [red, blue] = [flat(100, 40, [255, 0, 0]), flat(100, 40, [0, 0, 255])];
    const sheet = contactSheet([
      { label: "input | edited", images: [red, blue] },
      { label: "", images: [blue] },
    ]);
    expect(sheet.width).toBe(2 * 100 + 3 * 4);
    expect(sheet.height).toBe(4 + (18 + 40 + 4) + (40 + 4));
    const at = (x: number, y: number) => {
      const start = (y * sheet.width + x) * 3;
      return [...sheet.rgb.subarray(start, start + 3)];
    };
    expect([at(4, 22), at(103, 61)]).toEqual([
      [255, 0, 0],
      [255, 0, 0],
    ]);
    expect([at(108, 22), at(104, 30)]).toEqual([
      [0, 0, 255],
      [255, 255, 255],
    ]);
    expect([at(4, 66), at(4, 65)]).toEqual([
      [0, 0, 255],
      [255, 255, 255],
    ]);
    const label = sheet.rgb.subarray(4 * sheet.width * 3, 22 * sheet.width * 3);
    expect(label.some((value) => value < 100)).toBe(true);
  });

  test("breaks a label that is wider than the sheet", () => {
    const image = flat(160, 10, [0, 0, 0]);
    const short = contactSheet([{ label: "one", images: [image] }]);
    const long = contactSheet([{ label: "make the ball blue ".repeat(4), images: [image] }]);
    expect(long.width).toBe(short.width);
    expect(long.height).toBeGreaterThan(short.height);
  });

  test("is written as a PNG of its size", async () => {
    await using folder = await clipFolder();
    const rows = [{ label: "a row", images: [flat(30, 20, [9, 99, 199])] }];
    await writeContactSheet(folder.file("sheet.png"), rows);
    const { width, height } = contactSheet(rows);
    expect(await pixelsOf(folder.file("sheet.png"))).toMatchObject({ width, height });
  });
});
