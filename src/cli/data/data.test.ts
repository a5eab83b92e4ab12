import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { makeClip } from "../../../test/support/clips.ts";
import { saveSmallModel } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { UserError } from "../../engine/errors.ts";
import { runArguments } from "../command.ts";
import { JobProgress } from "../job-progress.ts";
import { writerOf, type WriterArguments } from "./data-instruct.ts";

const root = temporaryFolder();
const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const model = saveSmallModel(join(root, "model"));
const videos = join(root, "videos");
const out = join(root, "data");

function eve(...args: string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, "data", ...args], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return { stdout, stderr, status };
}

const eventsOf = (stdout: string): { type: string }[] =>
  stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

beforeAll(async () => {
  mkdirSync(videos);
  await makeClip(join(videos, "one.mp4"));
  writeFileSync(join(videos, "one.txt"), "a red fox in a meadow");
  writeFileSync(join(videos, "two.mp4"), "no video");
});

describe("eve data", () => {
  test("prepares, instructs and makes a page, with an event for everything", () => {
    const common = [videos, "--out", out, "--model", model.path];
    const plan = eve("prepare", ...common, "--dry-run");
    expect(plan.stdout).toMatch(/would skip .*two\.mp4: .*\n2 videos give 1 clips of 4 frames/);
    expect(existsSync(out)).toBe(false);
    const prepared = eve("prepare", ...common, "--json");
    expect(prepared.stderr).toBe("");
    expect(eventsOf(prepared.stdout).map(({ type }) => type)).toEqual([
      "prepare-started",
      "video-done",
      "video-skipped",
      "video-done",
      "prepared",
    ]);
    const instructed = eve("instruct", out, "--templates");
    expect(instructed.status).toBe(0);
    expect(instructed.stdout).toMatch(/7 instructions, 7 of them new: style 1, background 1/);
    const page = eve("page", out);
    expect(page.stdout).toBe(`${join(out, "page.html")}: 1 of 1 clips\n`);
    expect(readFileSync(join(out, "page.html"), "utf8")).toContain("a red fox in a meadow");
    expect(existsSync(join(out, "lock"))).toBe(false);
  });

  test("fails where the data set stays empty", () => {
    const none = join(root, "none");
    const video = join(videos, "two.mp4");
    const { stdout, stderr, status } = eve("prepare", video, "--out", none, "--model", model.path);
    expect(stdout).toMatch(/skipped .*two\.mp4: .*\n.*none: 0 clips, 0 of them new, 1 skipped\n$/);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^eve: .*none has no clip: no video could be used, as the lines above/m);
  });

  test("says in one line which files it passes over", async () => {
    writeFileSync(join(videos, "three.xyz"), "");
    writeFileSync(join(videos, "README"), "");
    writeFileSync(join(videos, "photo.png"), "");
    const { stderr } = eve("prepare", videos, "--out", out, "--model", model.path, "--dry-run");
    expect(stderr).toContain(
      "eve: passed over 3 files that are no videos by their names (1 without an ending, 1 .png, 1 .xyz): name those that are; pictures are one if a folder holds nothing else\n",
    );
  });

  test.each([
    [["prepare", "--out", out], /^missing <videos>: folders of videos/],
    [["prepare", videos], /^--out is missing: --out <dir>/],
    [["prepare", "nowhere", "--out", out], /^there is no file or folder nowhere/],
    [["prepare", videos, "--out", out, "--stride", "0"], /^--stride: expected a whole number/],
    [["instruct", "nowhere", "--templates"], /^expected prepared clips in nowhere/],
    [["instruct", "nowhere"], /^expected who writes: --llm <url> --model <name>/],
    [["page", "nowhere"], /^expected prepared clips in nowhere/],
    [["page", "a", "b"], /^unexpected argument "b"/],
  ])("answers misuse with one sentence: %j", async (args, sentence) => {
    const { signal } = new AbortController();
    const run = runArguments(["data", ...args], { signal });
    await expect(run).rejects.toThrow(UserError);
    await expect(run).rejects.toThrow(sentence);
  });
});

describe("who writes", () => {
  const given: WriterArguments = { "api-key-env": "OPENAI_API_KEY", timeout: "120" };
  const llm = { llm: "http://localhost:1/v1", model: "m" };

  test("is the templates or a language model", async () => {
    expect((await writerOf({ ...given, templates: true })).name).toBe("templates");
    expect((await writerOf({ ...given, ...llm }, {})).name).toBe("llm:m");
  });

  test.each([
    [{ ...llm, templates: true }, /--llm and --templates exclude each other/],
    [{ llm: llm.llm }, /--model is missing/],
    [{ ...llm, "api-key-env": "MINE" }, /--api-key-env: the environment has no variable MINE/],
    [{ ...llm, timeout: "0" }, /--timeout: expected a number, at least 1/],
    [{ ...llm, llm: "here" }, /expected an address such as/],
  ])("is asked for where the options do not say: %j", async (options, sentence) => {
    await expect(writerOf({ ...given, ...options }, {})).rejects.toThrow(UserError);
    await expect(writerOf({ ...given, ...options }, {})).rejects.toThrow(sentence);
  });
});

test("the time that is left follows the pace so far", () => {
  let now = 0;
  const progress = new JobProgress("working", 10, () => now);
  expect(progress.at(0)).not.toHaveProperty("etaSeconds");
  now = 4000;
  expect(progress.at(2)).toEqual({
    type: "progress",
    phase: "working",
    step: 2,
    steps: 10,
    etaSeconds: 16,
  });
});
