import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { createCanvas } from "@napi-rs/canvas";
import { describe, expect, test } from "vitest";
import { DataError, UserError } from "../../engine/errors.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { noisePicture } from "../../../test/support/noise-picture.ts";
import { writePng } from "./png.ts";
import { readPicture } from "./read-picture.ts";
import { statedSize } from "./stated-size.ts";

const golden = new URL("../../../test/golden/image/", import.meta.url).pathname;

describe("readPicture", () => {
  const folder = temporaryFolder();

  test("decodes a JPEG to Pillow's bytes", async () => {
    const found = await readPicture(join(golden, "small.jpg"));
    expect([found.width, found.height]).toEqual([56, 40]);
    const expected = new Uint8Array(readFileSync(join(golden, "small-pixels.bin")));
    const differences = found.rgb.map((value, index) => Math.abs(value - expected[index]!));
    expect(found.rgb).toHaveLength(expected.length);
    expect(Math.max(...differences)).toBe(0);
  });

  test("gives back every pixel of a PNG", async () => {
    const picture = noisePicture(7, 5);
    const path = join(folder, "noise.png");
    await writePng(path, picture.rgb, 7, 5);
    expect(await readPicture(path)).toEqual({ ...picture, isOpaque: true });
  });

  test("says which file is missing or no picture", async () => {
    const missing = join(folder, "missing.jpg");
    await expect(readPicture(missing)).rejects.toThrow(
      new UserError(`${missing} cannot be read: check the path.`),
    );
    const text = join(folder, "text.jpg");
    writeFileSync(text, "no picture");
    await expect(readPicture(text)).rejects.toThrow(
      new DataError(`${text} is no picture that can be read here: expected JPEG, PNG or WebP.`),
    );
  });
});

test.each([
  ["png", "89504e470d0a1a0a0000000d49484452 00007530 00007530 0802000000"],
  ["jpg", "ffd8 ffe00004abcd ffff c2 0011 08 ffff ffff 03011100021100031100 ffd9"],
  ["webp", "524946460000000057454250 56503858 0a000000 00000000 ffff00 ffff00 00"],
])("a small %s that says it is large is refused before memory is filled", async (kind, hex) => {
  const path = join(temporaryFolder(), `bomb.${kind}`);
  writeFileSync(path, Buffer.from(hex.replaceAll(" ", ""), "hex"));
  await expect(readPicture(path)).rejects.toThrow(
    /bomb\.\w+ says its pictures have (30000|65535|65536) × (30000|65535|65536) pixels: more than/,
  );
});

test("pictures of every kind say the size that they have", () => {
  const canvas = createCanvas(37, 21);
  const context = canvas.getContext("2d");
  const size = { width: 37, height: 21 };
  for (const fill of ["#00ff0080", "#ff0000"]) {
    context.fillStyle = fill;
    context.fillRect(0, 0, 37, 21);
    expect(statedSize(canvas.encodeSync("png"))).toEqual(size);
    expect(statedSize(canvas.encodeSync("jpeg"))).toEqual(size);
    for (const quality of [80, 100])
      expect(statedSize(canvas.encodeSync("webp", quality))).toEqual(size);
  }
  expect(statedSize(canvas.encodeSync("gif"))).toBeUndefined();
});

test("a picture has the colours that its profile says", async () => {
  const path = join(temporaryFolder(), "profile.png");
  writeFileSync(path, redPng(swappedProfile()));
  const { rgb } = await readPicture(path);
  expect([...rgb.subarray(0, 3)]).toEqual([0, 0, 255]);
  writeFileSync(path, redPng(null));
  expect([...(await readPicture(path)).rgb.subarray(0, 3)]).toEqual([255, 0, 0]);
});

/** A PNG of one red pixel, with a colour profile or none. */
function redPng(profile: Buffer | null): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data]);
    return Buffer.concat([word(data.length), body, word(crc32(body))]);
  };
  const head = Buffer.concat([word(1), word(1), Buffer.from([8, 2, 0, 0, 0])]);
  const named = profile && Buffer.concat([Buffer.from("swapped\0\0"), deflateSync(profile)]);
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", head),
    ...(named ? [chunk("iCCP", named)] : []),
    chunk("IDAT", deflateSync(Buffer.from([0, 255, 0, 0]))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** sRGB's primaries, red and blue exchanged, as an ICC profile of version 2. */
function swappedProfile(): Buffer {
  const [red, green, blue] = [
    [0.436, 0.2225, 0.0139],
    [0.3851, 0.7169, 0.0971],
    [0.1431, 0.0606, 0.7141],
  ];
  const white = [0.9642, 1, 0.8249];
  const xyz = (values: readonly number[] = []): Buffer =>
    Buffer.concat([Buffer.from("XYZ \0\0\0\0"), ...values.map((v) => word(Math.round(v * 65536)))]);
  const gamma = Buffer.from("curv\0\0\0\0\0\0\0\u0001\u0002\u0033\0\0", "latin1"); // 2.2
  const tags = { wtpt: xyz(white), rXYZ: xyz(blue), gXYZ: xyz(green), bXYZ: xyz(red) };
  const all = Object.entries({ ...tags, rTRC: gamma, gTRC: gamma, bTRC: gamma });
  let at = 128 + 4 + 12 * all.length;
  const table = all.map(([name, data]) => {
    const entry = Buffer.concat([Buffer.from(name), word(at), word(data.length)]);
    at += data.length;
    return entry;
  });
  const head = Buffer.alloc(128);
  head.writeUInt32BE(at, 0);
  head.writeUInt16BE(0x0210, 8);
  head.write("mntrRGB XYZ ", 12, "latin1");
  head.write("acsp", 36, "latin1");
  xyz(white).copy(head, 68, 8);
  return Buffer.concat([head, word(all.length), ...table, ...all.map(([, data]) => data)]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
