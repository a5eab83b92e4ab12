import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DataError, UserError } from "../../engine/errors.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { noisePicture } from "../../../test/support/noise-picture.ts";
import { writePng } from "./png.ts";
import { readPicture } from "./read-picture.ts";

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
