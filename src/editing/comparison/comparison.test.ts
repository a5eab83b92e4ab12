import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { clipFolder, clipOf, framesOf } from "../../../test/support/clips.ts";
import { standInEditor } from "../../../test/support/edits.ts";
import { readPicture } from "../../data/image/read-picture.ts";
import { probeVideo } from "../../data/video/probe.ts";

const instruction = "make the ball blue";

describe("a comparison that a program asks for", () => {
  test("as a video has input and result beside each other", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 6);
    const compare = folder.file("both.mp4");
    await standInEditor({ factor: -1 }).edit(input, instruction, { compare, steps: 1 }).result;
    expect(await probeVideo(compare)).toMatchObject({ width: 64, height: 32, frames: 6 });
    const [first] = await framesOf(compare);
    expect(first!.rgb[0]).toBeGreaterThan(200); // white left, its negative right
    expect(first!.rgb[33 * 3]).toBeLessThan(50);
  });

  test("as a sheet has the frames as they were, though each is freed when it is written", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 3);
    const options = { output: folder.file("out.mp4"), compare: folder.file("both.png"), steps: 1 };
    await standInEditor({ factor: -1 }).edit(input, instruction, options).result;
    const { rgb, width } = await readPicture(options.compare);
    const middle = (row: number) => rgb[(row * width + 12) * 3]!;
    const rows = Array.from({ length: rgb.length / width / 3 }, (_, row) => middle(row));
    expect(rows.some((value) => value < 50)).toBe(true); // the white quarter's negative
  });

  test("is refused before the edit where it would replace or be something else", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 3);
    const mine = folder.file("mine.png");
    writeFileSync(mine, "mine");
    const output = folder.file("out.mp4");
    const edit = (compare: string, overwrite = false) =>
      standInEditor().edit(input, instruction, { output, compare, overwrite, steps: 1 }).result;
    await expect(edit(mine)).rejects.toThrow(/mine\.png exists: give another output/);
    await expect(edit(input, true)).rejects.toThrow(/input\.mp4 is read by the edit/);
    await expect(edit(output)).rejects.toThrow(/two results would be written to one file/);
    await expect(edit(folder.file("both.txt"))).rejects.toThrow(/the extension \.txt/);
    await expect(edit(folder.file("no/both.png"))).rejects.toThrow(/does not exist/);
    expect(readFileSync(mine, "utf8")).toBe("mine");
    expect(existsSync(output)).toBe(false);
    await edit(mine, true);
    expect(await readPicture(mine)).toMatchObject({ width: expect.any(Number) });
  });

  test("as a page has the edited frames, the settings and no path of this machine", async () => {
    await using folder = await clipFolder();
    const input = await clipOf(folder, 6);
    const compare = folder.file("both.html");
    const options = { compare, steps: 1, frames: "2..5", further: ['then "this"'], seed: 7 };
    const { result } = standInEditor({ factor: -1 }).edit(input, "make it <new>", options);
    const { changes } = await result;
    const html = readFileSync(compare, "utf8");
    const blockOf = (id: string) =>
      JSON.parse(new RegExp(`id="${id}">(.*?)</script>`).exec(html)![1]!);
    expect(blockOf("page-data")).toMatchObject({
      first: 2,
      startSeconds: 0.08,
      times: [0, 0.04, 0.08],
    });
    expect(blockOf("receipt")).toMatchObject({
      program: "open-eve",
      settings: { instruction: "make it <new>", seed: 7 },
      changes,
    });
    expect(html).toContain("<li>make it &lt;new&gt;</li><li>then &quot;this&quot;</li>");
    expect(html).toContain("<dt>seed</dt><dd>7</dd>");
    expect(html).toContain("<dt>frames</dt><dd>2..5</dd>");
    expect(html).not.toContain(folder.path);
    expect(readdirSync(folder.path).toSorted()).toEqual(["both.html", "input.mp4"]);
  });

  test("as a page holds no more than a browser does", async () => {
    await using folder = await clipFolder();
    const [width, height] = [3000, 2000];
    const picture = { rgb: new Uint8Array(width * height * 3), width, height };
    const drawn = function* () {
      yield picture;
      yield picture;
    };
    const video = { frames: drawn, count: 700 };
    const compare = folder.file("both.html");
    const { result } = standInEditor().edit(video, instruction, { compare, steps: 1 });
    await expect(result).rejects.toThrow(
      /both\.html: a page holds at most \d+ frames of 3000 × 2000, and 700 are/,
    );
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test.each(["both.mp4", "both.png", "both.html"])(
    "leaves no file where the edit is stopped: %s",
    async (name) => {
      await using folder = await clipFolder();
      const input = await clipOf(folder, 12);
      const controller = new AbortController();
      const { result } = standInEditor().edit(input, instruction, {
        compare: folder.file(name),
        steps: 1,
        signal: controller.signal,
        onFrame: ({ index }) => {
          if (index === 5) controller.abort();
        },
      });
      await expect(result).rejects.toThrow("aborted");
      expect(readdirSync(folder.path)).toEqual(["input.mp4"]);
    },
  );
});
