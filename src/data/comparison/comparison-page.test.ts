import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { framesOf } from "../../../test/support/clips.ts";
import { noisePicture } from "../../../test/support/noise-picture.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { readPicture } from "../image/read-picture.ts";
import { ComparisonPage, type ComparedVideo } from "./comparison-page.ts";
import type { PageText } from "./page-document.ts";
import { heatOf } from "./heat.ts";

const folder = temporaryFolder();
const size = { width: 37, height: 21 };
const video: ComparedVideo = {
  ...size,
  pixelAspect: 1,
  startSeconds: 0.5,
  frameRate: { num: 25, den: 1 },
  soundFrom: null,
};
const text: PageText = {
  instructions: ['make "it" <b>bold</b> & </script><script>alert(1)</script>', "$& {{origin}}"],
  origin: "a<b.mp4",
  figures: [["pixels", "1 % & more"]],
  groups: [{ title: "<Settings>", rows: [["seed", '"7"']] }],
  receipt: { said: "</script><!--" },
};
const timeBase = { num: 1, den: 1000 };
const source = new Uint8Array(size.width * size.height * 3).map((_, at) => 40 + (at % 111));
/** The source with its first rows `change` brighter. */
const changed = (change: number) =>
  source.map((value, at) => (at < 37 * 3 * 7 ? value + change : value));

const Data = z.looseObject({
  type: z.string(),
  size: z.object({ width: z.number(), height: z.number() }),
  tile: z.object({ width: z.number(), height: z.number() }),
  places: z.record(z.string(), z.object({ left: z.number(), top: z.number() })),
  first: z.number(),
  startSeconds: z.number(),
  times: z.array(z.number()),
  endSeconds: z.number(),
  changedShares: z.array(z.number()),
});

/** Writes a page of frames that are shown at `ticks` of a millisecond. */
async function written(name: string, ticks: readonly number[], change = 60): Promise<string> {
  const path = join(folder, name);
  await using page = new ComparisonPage(path, video);
  for (const [at, tick] of ticks.entries()) {
    const next = ticks[at + 1] ?? tick + 40;
    const times = { pts: BigInt(tick), duration: BigInt(next - tick), timeBase };
    const rgb = changed(change);
    await page.add({ index: at + 3, ...times, source, rgb });
    rgb.fill(0); // the page has what it needs
  }
  expect(await page.write(text)).toBe(0);
  return readFileSync(path, "utf8");
}

const block = (html: string, id: string): unknown =>
  JSON.parse(
    new RegExp(`<script type="application/json" id="${id}">(.*?)</script>`).exec(html)![1]!,
  );

/** The bytes that a browser would put together. */
function mediaOf(html: string, name: string): string {
  const pieces = [...html.matchAll(/<script type="text\/plain" class="media">([^<]*)<\/script>/g)];
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat(pieces.map(([, base64]) => Buffer.from(base64!, "base64"))));
  return path;
}

/** One tile of a sheet. */
function cut(rgb: Uint8Array, width: number, place: { left: number; top: number }): Uint8Array {
  const rows = Array.from({ length: size.height }, (_, y) => {
    const start = ((place.top + y) * width + place.left) * 3;
    return [...rgb.subarray(start, start + size.width * 3)];
  });
  return Uint8Array.from(rows.flat());
}

const meanError = (one: Uint8Array, other: Uint8Array) =>
  one.reduce((sum, value, at) => sum + Math.abs(value - other[at]!), 0) / one.length;

describe("a page of a video", () => {
  test("holds all frames of input, result and difference, at their own times", async () => {
    const ticks = [900, 940, 1500, 1510, 1511];
    const html = await written("video.html", ticks);
    const data = Data.parse(block(html, "page-data"));
    expect(data).toMatchObject({
      type: "video/mp4",
      hasSound: false,
      size,
      first: 3,
      startSeconds: 0.4,
    });
    expect(data.times).toEqual([0, 0.04, 0.6, 0.61, 0.611]);
    expect(data.endSeconds).toBe(0.651);
    expect(data.changedShares).toEqual(Array(5).fill(0.3333));
    const frames = await framesOf(mediaOf(html, "video.mp4"));
    expect(frames.map(({ ptsSeconds }) => ptsSeconds)).toEqual(data.times);
    for (const { rgb, width } of frames) {
      const tile = (name: string) => cut(rgb, width, data.places[name]!);
      // colours are stored at half the resolution
      expect(meanError(tile("input"), source)).toBeLessThan(25);
      expect(meanError(tile("result"), changed(60))).toBeLessThan(25);
      const difference = new Uint8Array(source.length).map((_, at) => (at < 37 * 3 * 7 ? 60 : 0));
      expect(meanError(tile("difference"), difference)).toBeLessThan(1.5);
    }
  });

  test("shows no change where there is none, however much noise the codec leaves", async () => {
    const path = join(folder, "noise.html");
    const noise = { width: 64, height: 64 };
    await using page = new ComparisonPage(path, { ...video, ...noise });
    for (let index = 0; index < 3; index++) {
      const rgb = noisePicture(64, 64 + index).rgb.subarray(0, 64 * 64 * 3);
      await page.add({ index, pts: BigInt(index), duration: 1n, timeBase, source: rgb, rgb });
    }
    await page.write(text);
    const html = readFileSync(path, "utf8");
    const { places } = Data.parse(block(html, "page-data"));
    for (const { rgb, width } of await framesOf(mediaOf(html, "noise.mp4"))) {
      const tile = cut(rgb, width, places["difference"]!);
      expect(heatOf(tile.reduce((most, value) => Math.max(most, value), 0))).toEqual([0, 0, 0]);
    }
  });

  test("asks nothing of any other file or place, and runs no script but its own", async () => {
    const html = await written("policy.html", [0, 40]);
    expect(html.match(/\s(src|href)="/g)).toBeNull();
    expect(html).not.toMatch(/@import|url\((?!#)/);
    const policy = /Content-Security-Policy" content="([^"]*)"/.exec(html)![1]!;
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-\S+'; script-src 'sha256-\S+';/);
    for (const [tag, kind] of [
      ["style", "style"],
      ["script", "script"],
    ]) {
      const own = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(html)![1]!;
      const hash = createHash("sha256").update(own).digest("base64");
      expect(policy).toContain(`${kind}-src 'sha256-${hash}'`);
      if (tag === "script") expect(new Script(own)).toBeInstanceOf(Script); // no name is given twice
    }
    expect(html).not.toMatch(/^(import|export) /m);
  });

  test("says words as they are, whatever characters they have", async () => {
    const html = await written("words.html", [0, 40]);
    expect(html).toContain("make &quot;it&quot; &lt;b&gt;bold&lt;/b&gt; &amp; &lt;/script&gt;");
    expect(html).toContain("<li>$&amp; {{origin}}</li>");
    expect(html).toContain('<p class="quiet">a&lt;b.mp4</p>');
    expect(html).toContain("<dd>&quot;7&quot;</dd>");
    expect(html).not.toContain("<script>alert");
    expect(block(html, "receipt")).toEqual(text.receipt);
  });

  test("leaves nothing where it is not written", async () => {
    const before = readdirSync(folder);
    {
      await using page = new ComparisonPage(join(folder, "left.html"), video);
      for (let index = 0; index < 3; index++)
        await page.add({
          index,
          pts: BigInt(index * 40),
          duration: 40n,
          timeBase,
          source,
          rgb: source,
        });
    }
    expect(readdirSync(folder)).toEqual(before);
  });
});

describe("a page of a picture", () => {
  test("holds it exactly", async () => {
    const html = await written("picture.html", [0]);
    const data = Data.parse(block(html, "page-data"));
    expect(data).toMatchObject({ type: "image/png", times: [0], tile: size });
    const { rgb, width } = await readPicture(mediaOf(html, "picture.png"));
    expect(cut(rgb, width, data.places["input"]!)).toEqual(source);
    expect(cut(rgb, width, data.places["result"]!)).toEqual(changed(60));
  });
});
