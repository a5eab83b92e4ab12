import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { clipFolder, clipOf } from "../../test/support/clips.ts";
import { standInEditor } from "../../test/support/edits.ts";

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
