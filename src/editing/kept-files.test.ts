import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { clipFolder, clipOf, clipPicture } from "../../test/support/clips.ts";
import { standInEditor } from "../../test/support/edits.ts";
import { writePng } from "../data/image/png.ts";

const instruction = "make the ball blue";
const own = "my own work";

describe("an edit", () => {
  test.each([
    ["a video", "output.mp4", "output.mp4"],
    ["notes where the receipt goes", "output.mp4", "output.mp4.json"],
    ["a folder of pictures", "pictures/", "pictures/000001.png"],
  ])("replaces %s only where it may", async (_what, name, kept) => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 3);
    if (kept.includes("/")) mkdirSync(folder.file("pictures"));
    writeFileSync(folder.file(kept), own);
    const output = folder.file(name);
    const edit = () => standInEditor().edit(input, instruction, { output, steps: 1 });
    await expect(edit().result).rejects.toThrow(/: give another output, or overwrite it$/);
    expect(readFileSync(folder.file(kept), "utf8")).toBe(own);
    const options = { output, steps: 1, overwrite: true };
    await standInEditor().edit(input, instruction, options).result;
    expect(readFileSync(folder.file(kept), "utf8")).not.toBe(own);
    await expect(edit().result).rejects.toThrow(/exists/);
  });

  test("is refused before it begins where a folder lies in the receipt's place", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 3);
    mkdirSync(folder.file("output.mp4.json"));
    const options = { output: folder.file("output.mp4"), overwrite: true };
    const { result } = standInEditor().edit(input, instruction, options);
    await expect(result).rejects.toThrow(/output\.mp4\.json, where the receipt goes, is a folder/);
    expect(existsSync(folder.file("output.mp4"))).toBe(false);
  });

  test("has its output to itself while it runs", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 3);
    const editor = standInEditor();
    const options = { output: folder.file("output.mp4"), steps: 1 };
    const [first, second] = await Promise.allSettled([
      editor.edit(input, instruction, options).result,
      editor.edit(input, "make the ball red", options).result,
    ]);
    expect(first.status).toBe("fulfilled");
    expect(second).toMatchObject({
      status: "rejected",
      reason: { message: expect.stringMatching(/another edit is writing .*output\.mp4/) },
    });
    await editor.edit(input, instruction, { ...options, overwrite: true }).result;
  });

  test("knows its output through links, too", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 3);
    symlinkSync(folder.path, folder.file("link"));
    const editor = standInEditor();
    const edit = (output: string) =>
      editor.edit(input, instruction, { output: folder.file(output), steps: 1, overwrite: true });
    const [first, second] = await Promise.allSettled([
      edit("output.mp4").result,
      edit("link/output.mp4").result,
    ]);
    expect([first.status, second.status]).toEqual(["fulfilled", "rejected"]);
  });

  test("is never written over what it reads: pictures, and masks", async () => {
    await using folder = await clipFolder();
    const pictures = folder.file("pictures");
    mkdirSync(pictures);
    for (const name of ["1.png", "2.png"])
      await writePng(join(pictures, name), clipPicture(1, 32, 32), 32, 32);
    const mask = folder.file("mask.png");
    await writePng(mask, new Uint8Array(32 * 32 * 3).fill(255), 32, 32);
    const refused = async (video: string, output: string, further: object = {}): Promise<void> => {
      const options = { output, overwrite: true, steps: 1, ...further };
      const { result } = standInEditor().edit(video, instruction, options);
      await expect(result).rejects.toThrow(/is read by the edit: give another name|input itself/);
    };
    await refused(join(pictures, "1.png"), join(pictures, "1.png"));
    await refused(pictures, `${pictures}/`);
    await refused(join(pictures, "1.png"), mask, { mask });
    const one = folder.file("one");
    mkdirSync(one);
    await writePng(join(one, "1.png"), clipPicture(1, 32, 32), 32, 32);
    await refused(one, join(one, "1.png"));
    await refused(one, `${pictures}/`, { mask: pictures });
  });

  test("clears away what killed processes have left half-written beside its output, and no more", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 3);
    const dead = 4_194_305; // above the largest number that Linux gives a process
    const living = `.output.partial-${process.pid}-a.mp4`;
    const left = `.output.partial-${dead}-b.mp4`;
    writeFileSync(folder.file(`.output.partial-${dead}-a.mp4`), "half");
    writeFileSync(folder.file(living), "half");
    mkdirSync(join(folder.file(left), "pictures"), { recursive: true });
    const output = folder.file("output.mp4");
    await standInEditor().edit(input, instruction, { output, steps: 1 }).result;
    expect(readdirSync(folder.path).filter((name) => name.startsWith("."))).toEqual([living]);
  });
});
