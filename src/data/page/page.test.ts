import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../engine/errors.ts";
import { writeDataSet } from "../../../test/support/data-set.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { dataFiles, stripPath } from "../clips/dataset.ts";
import { writeJsonLines } from "../clips/json-lines.ts";
import { writeStrip } from "../clips/strips.ts";
import { writeInstructions } from "../instructions/instruct.ts";
import { templateWriter } from "../instructions/template-writer.ts";
import { barList, escaped, histogram } from "./html.ts";
import { writePage } from "./page.ts";

const folder = join(temporaryFolder(), "my <clips>");
const captions = ["a red fox in a meadow", '"five" < six & a dog', "", "a boat at sea"];

async function page(count = 60): Promise<string> {
  await writePage(folder, dataFiles(folder).page, count);
  return readFileSync(dataFiles(folder).page, "utf8");
}

describe("the page of a data set", async () => {
  const clips = writeDataSet(folder, captions);
  mkdirSync(dataFiles(folder).strips);
  const frame = new Uint8Array(16 * 16 * 3).fill(90);
  for (const index of [0, 1, 3]) writeStrip(stripPath(folder, index), [frame, frame], 16);
  writeJsonLines(dataFiles(folder).skipped, [{ source: "../<b>.mp4", reason: "too short" }]);
  const { signal } = new AbortController();
  const options = { folder, clips, writer: templateWriter, signal };
  for await (const _ of writeInstructions(options));

  test("shows every clip with its frames, caption and edits", async () => {
    const text = await page();
    expect(text.match(/<article>/g)).toHaveLength(4);
    const jpeg = readFileSync(stripPath(folder, 0)).toString("base64");
    expect(text).toContain(`src="data:image/jpeg;base64,${jpeg}"`);
    expect(text).toContain('<p class="caption">a red fox in a meadow</p>');
    expect(text.match(/<tr><th>style<\/th>/g)).toHaveLength(3);
    expect(text).toContain("its picture is gone");
    expect(text).toContain("Clips without a caption, which get no instructions: 1");
    expect(text).toContain("Videos left out: 1");
  });

  test("says words as they are, whatever characters they have", async () => {
    const text = await page();
    expect(text).toContain("&quot;five&quot; &lt; six &amp; a dog");
    expect(text).toContain("<h1>my &lt;clips&gt;</h1>");
    expect(text).not.toContain("<b>");
  });

  test("asks nothing of any other file or place", async () => {
    const text = await page();
    expect(text.match(/(src|href)="(?!data:)/g)).toBeNull();
    expect(text).not.toMatch(/https?:|@import|url\(/);
  });

  test("shows as many clips as asked for, from the first on", async () => {
    const text = await page(2);
    expect(text.match(/<article>/g)).toHaveLength(2);
    expect(text).toContain("2 of 4 clips");
  });

  test("is refused where there are no clips, and leaves no file", async () => {
    const nowhere = join(folder, "nowhere");
    const path = join(folder, "x.html");
    await expect(writePage(nowhere, path, 1)).rejects.toThrow(UserError);
    expect(existsSync(path)).toBe(false);
    writeFileSync(join(folder, "file"), "");
    await expect(writePage(folder, join(folder, "no", "x.html"), 1)).rejects.toThrow(
      /does not exist: create it first/,
    );
  });
});

test("bars are as long as their values say", () => {
  const bars = barList([
    { label: "a<b", value: 5 },
    { label: "none", value: 0 },
    { label: "all", value: 10 },
  ]);
  expect([...bars.matchAll(/width:([\d.]+)%/g)].map(([, width]) => width)).toEqual([
    "50.0",
    "0.0",
    "100.0",
  ]);
  expect(bars).toContain("a&lt;b");
});

test("a histogram counts every value once, and tells its range", () => {
  const values = Array.from({ length: 100 }, (_, i) => i);
  const counts = [...histogram(values, "words").matchAll(/words: (\d+)"/g)].map(([, n]) =>
    Number(n),
  );
  expect(counts.reduce((sum, n) => sum + n, 0)).toBe(100);
  expect(counts.length).toBeLessThanOrEqual(25);
  expect(histogram([3, 3, 5], "words")).toContain("median 3 words");
  expect(histogram([], "words")).toContain("none");
});

test("escaping leaves nothing that a browser would read as markup", () => {
  expect(escaped('<a href="x">&')).toBe("&lt;a href=&quot;x&quot;&gt;&amp;");
});
