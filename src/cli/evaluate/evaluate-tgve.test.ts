import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { formulaTensor } from "../../../test/support/formula-weights.ts";
import { hubAt } from "../../../test/support/hub-client.ts";
import { recorder } from "../../../test/support/recorder.ts";
import {
  publicClipConfig,
  SMALL_CLIP,
  SMALL_TOKENIZER,
  SMALL_VICLIP,
} from "../../../test/support/small-clip.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { writeFrames, writeMiniature } from "../../../test/support/tgve-miniature.ts";
import { readTgveDataset } from "../../data/tgve/dataset.ts";
import { UserError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { saveSafetensors } from "../../engine/safetensors.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { RepositoryCache } from "../../hub/cache.ts";
import { Clip } from "../../models/clip/clip.ts";
import { publicWeights as clipWeights } from "../../models/clip/weights.ts";
import { Viclip } from "../../models/viclip/viclip.ts";
import { publicWeights as viclipWeights } from "../../models/viclip/weights.ts";
import { PUBLIC_WEIGHTS } from "../../presets/open-weights.ts";
import { loadTgveEncoders, TGVE_NETWORKS } from "./tgve-encoders.ts";
import { columnsFrom } from "./tgve-options.ts";
import { requireSubmission, runTgve } from "./tgve-run.ts";

const root = temporaryFolder();
const submission = join(root, "submission");
const hub = hubAt("http://localhost:9", join(root, "cache"));

/** Small networks of formula weights, in the cache as pulled. */
beforeAll(async () => {
  const clip = formulaOf(clipWeights(new Clip(Rng.seed(0), SMALL_CLIP)));
  const viclip = formulaOf(viclipWeights(new Viclip(Rng.seed(0), SMALL_VICLIP)));
  const config = JSON.stringify(publicClipConfig);
  await pulled("frame consistency", { weights: clip, config, hasWords: true });
  await pulled("PickScore", { weights: clip, config });
  await pulled("PickScore's words", { hasWords: true });
  await pulled("ViCLIP", { weights: viclip, config: "{}" });
  await writeMiniature(root);
  await writeFrames(join(submission, "DAVIS_480p", "gold-fish", "style"), 3);
  await writeFrames(join(submission, "youtube_480p", "salsa", "object"), 4);
});

function formulaOf(weights: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map([...weights].map(([name, { shape }]) => [name, formulaTensor(name, shape)]));
}

/** Puts files where a pull would. */
async function pulled(
  role: string,
  {
    weights,
    config,
    hasWords = false,
  }: { weights?: ReadonlyMap<string, Tensor>; config?: string; hasWords?: boolean },
): Promise<void> {
  const { repository, revision } = PUBLIC_WEIGHTS.find((one) => one.role === role)!;
  const cache = new RepositoryCache(repository, hub.settings);
  const commit = revision === "main" ? "5".repeat(40) : revision;
  await cache.writeRef(revision, commit);
  const folder = cache.snapshot(commit);
  mkdirSync(folder, { recursive: true });
  if (config !== undefined) writeFileSync(join(folder, "config.json"), config);
  if (weights) saveSafetensors(join(folder, "model.safetensors"), weights);
  if (!hasWords) return;
  cpSync(join(SMALL_TOKENIZER, "tokenizer.json"), join(folder, "tokenizer.json"));
  for (const file of ["vocab.json", "merges.txt", "preprocessor_config.json"])
    writeFileSync(join(folder, file), "{}");
}

const viclipConfigs = [SMALL_VICLIP];

test("columns are named in pairs of what is known, for a file that has them", () => {
  const of = (columns: string) => () => columnsFrom({ columns, plus: "plus.jsonl" });
  expect(of("video=path, task = type")()).toEqual({ video: "path", task: "type" });
  expect(of("video")).toThrow('expected a list such as video=path,task=type, got "video"');
  expect(of("vidio=path")).toThrow(/expected one of video, .*did you mean video/);
  expect(() => columnsFrom({ columns: "video=path" })).toThrow("give --plus, too");
});

describe("evaluate tgve", () => {
  test("scores a submission with the networks of the cache, and ends with one object", async () => {
    const encoders = await loadTgveEncoders(hub, TGVE_NETWORKS, { viclipConfigs });
    const { out, report } = recorder({ json: true });
    const dataset = await readTgveDataset(root);
    await runTgve({ dataset, submission, encoders }, report);
    const events = out.map((line): Record<string, unknown> => JSON.parse(line));
    expect(events.filter(({ type }) => type === "edit-scored")).toHaveLength(2);
    expect(events.filter(({ type }) => type === "edit-missing")).toHaveLength(10);
    const figure = expect.any(Number);
    const all = {
      pickScore: figure,
      clipFrame: figure,
      clipText: figure,
      viclipDir: figure,
      viclipOut: figure,
    };
    expect(events.at(-1)).toMatchObject({
      type: "benchmark-scored",
      scored: 2,
      missing: 10,
      means: all,
      byEdit: { style: all, object: all, background: { pickScore: null } },
      intervals: { clipFrame: null },
    });
  });

  test("prints one table with a row for each kind of edit, and says what is missing", async () => {
    const encoders = await loadTgveEncoders(hub, ["clip"]);
    expect(encoders).toMatchObject({ pick: undefined, viclip: undefined });
    const { out, err, report } = recorder({ json: false });
    const dataset = await readTgveDataset(root);
    await requireSubmission({ dataset, submission }, report);
    await runTgve({ dataset, submission, encoders }, report);
    expect(out).toHaveLength(1);
    const lines = out[0]!.trim().split("\n");
    expect(lines[0]).toMatch(/^edit +PickScore +CLIPFrame +text alignment +ViCLIP_dir +ViCLIP_out/);
    expect(lines.map((line) => line.split(/ {2,}/)[0])).toEqual([
      "edit",
      "style",
      "object",
      "background",
      "multiple",
      "all 2",
      "95 %",
    ]);
    expect(lines[1]).toMatch(/^style +– +[01]\.\d{4} +-?\d+\.\d\d +– +–$/);
    const first = join(submission, "DAVIS_480p", "gold-fish", "object");
    expect(err.join("")).toContain(`the submission lacks 10 of 12 edits, the first ${first}: `);
  });

  test("says which weights are missing and how to get them, before it opens any", async () => {
    const empty = hubAt("http://localhost:9", join(root, "empty"));
    const missing = loadTgveEncoders(empty, ["viclip"]);
    await expect(missing).rejects.toThrow(UserError);
    await expect(missing).rejects.toThrow(
      /^config.json of OpenGVLab\/ViCLIP-L-14-hf is not in .*: run .\/eve pull open --only metrics$/,
    );
  });

  test("refuses a folder that holds no edit of the benchmark", async () => {
    const dataset = await readTgveDataset(root);
    const { err, report } = recorder({ json: false });
    const wrong = requireSubmission({ dataset, submission: join(root, "cache") }, report);
    await expect(wrong).rejects.toThrow(UserError);
    await expect(wrong).rejects.toThrow("found no edit of the benchmark there");
    expect(err).toEqual([]);
  });
});
