import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { clipFolder, clipPicture } from "../../test/support/clips.ts";
import { standInEditor } from "../../test/support/edits.ts";
import { writePng } from "../data/image/png.ts";
import { readPicture } from "../data/image/read-picture.ts";
import { fileHash, readReceipt, receiptPath } from "./report/receipt.ts";

const instruction = "make the ball blue";
const picture = (index: number) => clipPicture(index, 32, 32);

test("a picture is edited to a picture, which its receipt tells of", async () => {
  await using folder = await clipFolder();
  const [input, output] = [folder.file("in.png"), folder.file("out.png")];
  await writePng(input, picture(1), 32, 32);
  const editor = standInEditor({ factor: -1 });
  const { frames } = await editor.edit(input, instruction, { output, steps: 1 }).result;
  expect(frames).toBe(1);
  const negative = picture(1).map((value) => 255 - value);
  const { rgb } = await readPicture(output);
  for (const [at, value] of rgb.entries()) expect(Math.abs(value - negative[at]!)).toBeLessThan(2);
  const receipt = await readReceipt(receiptPath(output));
  expect(receipt.input.sha256).toBe(await fileHash(input));
});

test("a folder of pictures is edited to a folder of pictures, and its hash is that of them all", async () => {
  await using folder = await clipFolder();
  const input = folder.file("in");
  await mkdir(input);
  for (const index of [0, 1, 2])
    await writePng(join(input, `00${index}.png`), picture(index), 32, 32);
  const output = folder.file("out/");
  const result = await standInEditor().edit(input, instruction, { output, steps: 1 }).result;
  expect(result.frames).toBe(3);
  expect((await readdir(output)).filter((name) => name.endsWith(".png"))).toHaveLength(3);
  expect(result.receipt.input.sha256).toBe(await fileHash(input));
  await writePng(join(input, "002.png"), picture(5), 32, 32);
  expect(await fileHash(input)).not.toBe(result.receipt.input.sha256);
});
