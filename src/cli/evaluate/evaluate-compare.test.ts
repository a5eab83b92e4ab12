import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { recorder } from "../../../test/support/recorder.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { runArguments } from "../command.ts";
import { runComparison } from "./comparison-run.ts";
import { runTgveComparison, tgveEditsIn } from "./tgve-comparison-run.ts";

const folder = temporaryFolder();
const context = { signal: new AbortController().signal };

interface Clip {
  readonly index: number;
  readonly psnr: number;
  readonly task?: string;
  readonly method?: string;
  readonly success?: boolean;
  readonly steps?: number;
  readonly changedShare?: number;
}

/** A file as an evaluation prints it: progress, clips, and an object at the end. */
function results(name: string, clips: readonly Clip[]): string {
  const lines = clips.map((clip) => ({
    type: "clip-scored",
    task: "style",
    method: "aligned",
    instruction: `edit ${clip.index}`,
    changedShare: 0.25,
    success: true,
    steady: true,
    edited: true,
    kept: true,
    flicker: 0.02,
    psnrChanged: clip.index === 0 ? null : clip.psnr,
    psnrKept: clip.psnr + 1,
    ...clip,
  }));
  const all = [{ type: "progress", phase: "whole clips" }, ...lines, { type: "world-evaluation" }];
  const path = join(folder, name);
  writeFileSync(path, all.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return path;
}

async function comparison(
  first: string,
  second: string,
  names: { method?: string; against?: string } = {},
) {
  const { out, err, report } = recorder({ json: true });
  await runComparison({ first, second, method: undefined, against: undefined, ...names }, report);
  return { ...JSON.parse(out.at(-1)!), said: [...out.slice(0, -1), ...err].join("\n") };
}

describe("evaluate compare", () => {
  test("sets the same clips beside each other, in whatever order they were printed", async () => {
    const after = results("after.jsonl", [
      { index: 0, psnr: 30 },
      { index: 1, psnr: 24, task: "add", success: true },
    ]);
    const before = results("before.jsonl", [
      { index: 1, psnr: 25, task: "add", success: false },
      { index: 0, psnr: 27 },
    ]);
    const { comparisons } = await comparison(after, before);
    expect(comparisons).toHaveLength(1);
    expect(comparisons[0]).toMatchObject({
      method: "aligned",
      against: "aligned",
      all: {
        clips: 2,
        better: { mean: 0.5 },
        psnr: { mean: 1, interval: null },
        // the first clip has no changed region
        psnrChanged: { mean: -1, interval: null },
        success: { mean: 0.5 },
        flickerRatio: 1,
      },
      tasks: { style: { clips: 1, psnr: { mean: 3 } }, add: { clips: 1, psnr: { mean: -1 } } },
    });
  });

  test("gives the same intervals in whatever order processes were done", async () => {
    const psnrs = [21, 24, 22, 29, 25, 23, 26, 20, 28, 27];
    const clips = psnrs.map((psnr, index) => ({ index, psnr }));
    const still = results(
      "still.jsonl",
      psnrs.map((_, index) => ({ index, psnr: 20 })),
    );
    const [one, other] = await Promise.all([
      comparison(results("in-order.jsonl", clips), still),
      comparison(results("as-done.jsonl", clips.toReversed()), still),
    ]);
    expect(one.comparisons[0].all.psnr.interval).not.toBeNull();
    expect(one.comparisons[0].all).toEqual(other.comparisons[0].all);
  });

  test("compares any two methods, and numbers of steps by name", async () => {
    const path = results("both.jsonl", [
      { index: 0, psnr: 30, steps: 3 },
      { index: 0, psnr: 28, steps: 4 },
      { index: 0, psnr: 20, method: "stacked" },
    ]);
    const { comparisons } = await comparison(path, path, {
      method: "aligned:3",
      against: "aligned:4",
    });
    expect(comparisons[0].all.psnr.mean).toBe(2);
    const other = await comparison(path, path, { method: "aligned:4", against: "stacked" });
    expect(other.comparisons[0].all.psnr.mean).toBe(8);
    await expect(comparison(path, path, { method: "aligned" })).rejects.toThrow(
      "--method: expected one of aligned:3, aligned:4, stacked",
    );
  });

  test("leaves out clips that only one file has, and says so", async () => {
    const two = results("two.jsonl", [
      { index: 0, psnr: 30 },
      { index: 1, psnr: 30 },
    ]);
    const others = [1, 2, 3].map((index) => ({ index, psnr: 20 }));
    const { comparisons, said } = await comparison(two, results("others.jsonl", others));
    expect(comparisons[0].all).toMatchObject({ clips: 1, psnr: { mean: 10 } });
    expect(said).toContain("clips that only one of the two has are left out: 3");
  });

  test("takes a clip of another length or split for another clip", async () => {
    const short = results("short.jsonl", [{ index: 0, psnr: 30 }]);
    const long = results("long.jsonl", [{ index: 0, psnr: 30, changedShare: 0.3 }]);
    await expect(comparison(short, long)).rejects.toThrow("have no clip in common");
  });

  test("refuses a file that holds a clip twice", async () => {
    const clip = { index: 3, psnr: 30 };
    const twice = results("twice.jsonl", [clip, { ...clip, index: 4 }, clip]);
    await expect(comparison(twice, twice)).rejects.toThrow(
      `${twice} holds the clip style 3 by aligned twice: give each measurement a file of its own`,
    );
  });

  test("prints a table", async () => {
    const path = results("table.jsonl", [
      { index: 0, psnr: 30 },
      { index: 0, psnr: 28, method: "stacked" },
    ]);
    const { out, report } = recorder({ json: false });
    await runComparison(
      { first: path, second: path, method: "stacked", against: "aligned" },
      report,
    );
    const lines = out.join("").split("\n");
    expect(lines[0]).toBe("stacked against aligned");
    expect(lines[1]).toMatch(/^task +clips +better % .*flicker ×$/);
    expect(lines[2]).toMatch(/^style +1 +0\.0 .* -2\.00 /);
    expect(lines[3]).toMatch(/^all +1 /);
  });

  test.each([
    [["there-is-none.jsonl", "nor-here.jsonl"], "cannot read"],
    [[import.meta.filename, import.meta.filename], "holds no scored clips"],
    [["one.jsonl"], "give a second file, or two methods of the one"],
    [["one.jsonl", "--against", "stacked"], "--against needs --method"],
    [[], "missing <first>"],
  ])("refuses %s in one sentence", async (args, sentence) => {
    await expect(runArguments(["evaluate", "compare", ...args], context)).rejects.toThrow(sentence);
  });

  test("names the methods of two files that share none", async () => {
    const aligned = results("aligned.jsonl", [{ index: 0, psnr: 30 }]);
    const stacked = results("stacked.jsonl", [{ index: 0, psnr: 30, method: "stacked" }]);
    await expect(comparison(aligned, stacked)).rejects.toThrow(
      /has aligned, .* has stacked; name two/,
    );
  });

  test("sets submissions to TGVE beside each other, and those alone", async () => {
    const line = { set: "DAVIS_480p", video: "a", edit: "style", kind: "style" };
    const scores = { pickScore: 20, clipFrame: 1, clipText: 1, viclipDir: 1, viclipOut: 1 };
    const told = { type: "edit-scored", ...line, input: "a cat", caption: "a dog", scores };
    const path = join(folder, "tgve.jsonl");
    writeFileSync(path, `{"type":"progress"}\n${JSON.stringify(told)}\n`);
    const own = await tgveEditsIn(path);
    const { out, report } = recorder({ json: true });
    await runTgveComparison({ first: path, second: path, own }, report);
    expect(JSON.parse(out[0]!)).toMatchObject({ scored: 1, means: { pickScore: 0 } });
    const world = results("world.jsonl", [{ index: 0, psnr: 30 }]);
    const compare = (...args: string[]) => runArguments(["evaluate", "compare", ...args], context);
    await expect(compare(path, world)).rejects.toThrow(/have no edit of TGVE in common/);
    await expect(compare(path, path, "--method", "aligned")).rejects.toThrow(/no --method/);
    await expect(compare(path, join(folder, "none"))).rejects.toThrow(/cannot read .*none/);
  });
});
