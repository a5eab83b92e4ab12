import { appendFileSync, cpSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { SMALL_CLIP, SMALL_TOKENIZER, SMALL_VICLIP } from "../../../test/support/small-clip.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { writeFrames, writeMiniature } from "../../../test/support/tgve-miniature.ts";
import { clipPicture } from "../../data/image/clip-picture.ts";
import { toPixels } from "../../data/pixels.ts";
import {
  editedFrames,
  inputFrames,
  readTgveDataset,
  type TgveDataset,
} from "../../data/tgve/dataset.ts";
import { DataError, UserError } from "../../engine/errors.ts";
import { Rng } from "../../engine/random.ts";
import { engineInfo } from "../../engine/settings.ts";
import { Tensor } from "../../engine/tensor.ts";
import { Clip } from "../../models/clip/clip.ts";
import { loadTokenizer } from "../../models/text-encoder/tokenizer.ts";
import { Viclip } from "../../models/viclip/viclip.ts";
import {
  clipImageFeatures,
  clipTextFeatures,
  viclipTextFeatures,
  viclipVideoFeatures,
} from "./clip-features.ts";
import { KeptScores } from "./kept-scores.ts";
import { clipTextAlignment } from "./clip-text-alignment.ts";
import {
  scoreTgve,
  type BenchmarkScored,
  type EditScored,
  type TgveEvent,
} from "./tgve-metrics.ts";
import { tgveFrame, type TgveEncoders } from "./tgve-video.ts";
import { viclipDir } from "./viclip-dir.ts";
import { viclipOut } from "./viclip-out.ts";

const root = temporaryFolder();
const submission = join(root, "submission");
const goldFish = join(submission, "DAVIS_480p", "gold-fish");
const salsa = join(submission, "youtube_480p", "salsa");
const tokenizer = loadTokenizer(SMALL_TOKENIZER, { maxPositions: 16 });
const clip = { network: new Clip(Rng.seed(1), SMALL_CLIP), tokenizer };
const encoders: TgveEncoders = {
  clip,
  pick: { network: new Clip(Rng.seed(2), SMALL_CLIP), tokenizer },
  viclip: { network: new Viclip(Rng.seed(3), SMALL_VICLIP), tokenizer },
};
let dataset: TgveDataset;
let whole: Awaited<ReturnType<typeof eventsOf>>;

beforeAll(async () => {
  await writeMiniature(root);
  dataset = await readTgveDataset(root);
  await writeFrames(join(goldFish, "style"), 3);
  await writeFrames(join(goldFish, "object"), 4, { isStill: true });
  // an edit that changes nothing
  cpSync(join(root, "DAVIS_480p", "480p_frames", "gold-fish"), join(goldFish, "multiple"), {
    recursive: true,
  });
  await writeFrames(join(salsa, "style"), 5);
  whole = await eventsOf();
});

async function eventsOf(
  changes: Partial<Parameters<typeof scoreTgve>[0]> = {},
): Promise<{ edits: EditScored[]; all: TgveEvent[]; end: BenchmarkScored }> {
  const all: TgveEvent[] = [];
  for await (const event of scoreTgve({ dataset, submission, encoders, ...changes })) {
    all.push(event);
  }
  const end = all.at(-1);
  if (end?.type !== "benchmark-scored") throw new Error("the last event is not the summary");
  return { edits: all.filter((event) => event.type === "edit-scored"), all, end };
}

describe("scoreTgve", () => {
  test("scores what is there in the table's order, and says what is missing", () => {
    const { edits, all, end } = whole;
    expect(edits.map(({ set, video, edit, frames }) => [set, video, edit, frames])).toEqual([
      ["DAVIS_480p", "gold-fish", "style", 8],
      ["DAVIS_480p", "gold-fish", "object", 8],
      ["DAVIS_480p", "gold-fish", "multiple", 8],
      ["youtube_480p", "salsa", "style", 8],
    ]);
    expect(edits[0]).toMatchObject({ caption: "a red cat in the snow, blue", done: 1, total: 12 });
    const missing = all.filter((event) => event.type === "edit-missing");
    expect(missing).toHaveLength(8);
    expect(missing[0]).toMatchObject({
      edit: "background",
      done: 3,
      path: join(goldFish, "background"),
    });
    expect(end).toMatchObject({ scored: 4, missing: 8 });
  });

  test("gives every edit its own figures: a still video, an edit that changes nothing", () => {
    const { edits } = whole;
    const [moving, still, unchanged] = edits.map(({ scores }) => scores);
    // float32 vectors that differ by their place in the batch
    expect(still!.clipFrame).toBeCloseTo(1, 6);
    expect(moving!.clipFrame).toBeLessThan(0.9999);
    expect(unchanged!.viclipDir).toBe(0);
    expect(Math.abs(moving!.viclipDir ?? 0)).toBeGreaterThan(1e-3);
    expect(new Set(edits.map(({ scores }) => scores.viclipOut)).size).toBe(4);
    expect(new Set(edits.map(({ scores }) => scores.pickScore)).size).toBe(4);
  });

  test("scores frames as TGVE's script prepares them", async () => {
    const { edits } = whole;
    const [video] = dataset.videos;
    const paths = (await editedFrames(submission, video!, video!.edits[0]!)) ?? [];
    const frames = await Promise.all(paths.map(tgveFrame));
    expect(frames[0]).toMatchObject({ width: 480, height: 480 });
    const { network } = clip;
    const bytes = frames.map((frame) => clipPicture(frame, 28).rgb);
    const ids = Tensor.from(tokenizer.encode(edits[0]!.caption), [1, 16], "int64");
    const expected = clipTextAlignment(
      network.imageFeatures(toPixels(bytes, 28, 28)),
      network.textFeatures(ids),
      network.logitScale.item(),
    );
    expect(edits[0]!.scores.clipText).toBeCloseTo(expected, 5);
  });

  test("asks each network about its own pictures and words, before the edit and after", async () => {
    const [video] = dataset.videos;
    const [edit] = video!.edits;
    const framesAt = async (paths: readonly string[]) => await Promise.all(paths.map(tgveFrame));
    const output = await framesAt((await editedFrames(submission, video!, edit!)) ?? []);
    const input = await framesAt(await inputFrames(dataset, video!));
    const { pick, viclip } = { pick: encoders.pick!, viclip: encoders.viclip! };
    const { scores } = whole.edits[0]!;
    const byPick = clipTextAlignment(
      clipImageFeatures(pick, output),
      clipTextFeatures(pick, edit!.output),
      pick.network.logitScale.item(),
    );
    expect(scores.pickScore).toBeCloseTo(byPick, 5);
    const videos = {
      input: viclipVideoFeatures(viclip, input),
      output: viclipVideoFeatures(viclip, output),
    };
    const captions = {
      input: viclipTextFeatures(viclip, edit!.input),
      output: viclipTextFeatures(viclip, edit!.output),
    };
    expect(scores.viclipDir).toBeCloseTo(viclipDir(videos, captions), 5);
    expect(scores.viclipOut).toBeCloseTo(viclipOut(videos.output, captions.output), 5);
  });

  test("ends with means over edits, and by kind of edit", () => {
    const { edits, end } = whole;
    const sum = edits.reduce((total, { scores }) => total + (scores.pickScore ?? NaN), 0);
    expect(end.means.pickScore).toBeCloseTo(sum / 4, 10);
    const styles = [edits[0]!, edits[3]!].map(({ scores }) => scores.clipFrame ?? NaN);
    expect(end.byEdit["style"]!.clipFrame).toBeCloseTo((styles[0]! + styles[1]!) / 2, 10);
    expect(end.byEdit["background"]!.viclipOut).toBeNull();
  });

  test("leaves out what it has no network for, and then needs no frames of the benchmark", async () => {
    const { end } = await eventsOf({
      encoders: { pick: encoders.pick },
      dataset: { root: join(root, "nowhere"), videos: dataset.videos.slice(1) },
    });
    expect(end.means.pickScore).not.toBeNull();
    expect(end.means).toMatchObject({ clipFrame: null, clipText: null, viclipDir: null });
  });

  test("computes nothing again that was kept, unless its frames or words are others", async () => {
    const path = join(root, "kept", "scores.jsonl");
    const ofOne = { root, videos: dataset.videos.slice(0, 1) };
    const { edits, end } = await eventsOf({ dataset: ofOne, kept: new KeptScores(path) });
    expect(edits.at(-1)).toMatchObject({ framesDone: 24, framesTotal: 24 });
    // a process was killed while it wrote
    appendFileSync(path, '{"set":');
    const again = await eventsOf({ dataset: ofOne, kept: new KeptScores(path) });
    expect(again.end).toEqual(end);
    expect(again.edits.at(-1)).toMatchObject({ framesDone: 0, framesTotal: 0 });
    const [video] = dataset.videos;
    const told = video!.edits.map((edit) =>
      edit.kind === "style" ? { ...edit, output: "a hat" } : edit,
    );
    const otherWords = { root, videos: [{ ...video!, edits: told }] };
    const other = join(root, "other");
    cpSync(submission, other, { recursive: true });
    await writeFrames(join(other, "DAVIS_480p", "gold-fish", "object"), 6);
    const changes = { dataset: otherWords, submission: other, kept: new KeptScores(path) };
    expect((await eventsOf(changes)).edits.at(-1)).toMatchObject({ framesTotal: 16 });
  });

  test("takes of what was kept the metrics that it is asked for", async () => {
    const path = join(root, "kept-some.jsonl");
    const ofOne = { root, videos: dataset.videos.slice(0, 1) };
    const asked = async (encodersAsked: TgveEncoders) => {
      const kept = new KeptScores(path);
      return (await eventsOf({ dataset: ofOne, encoders: encodersAsked, kept })).edits[0]!;
    };
    await asked({ pick: encoders.pick });
    const both = await asked({ pick: encoders.pick, clip });
    expect(both.framesTotal).toBe(24);
    const one = await asked({ pick: encoders.pick });
    expect(one).toMatchObject({ framesTotal: 0, scores: { clipFrame: null } });
    expect(one.scores.pickScore).toBe(both.scores.pickScore);
    writeFileSync(path, '{"type":"summary"}\n');
    await expect(asked({ clip })).rejects.toThrow(/kept-some\.jsonl, line 1: set: /);
  });

  test("leaves no tensors behind", async () => {
    const one = { dataset: { root, videos: dataset.videos.slice(1, 2) } };
    await eventsOf(one);
    const before = engineInfo().liveTensors;
    await eventsOf(one);
    // fewer where the garbage collector came by
    expect(engineInfo().liveTensors).toBeLessThanOrEqual(before);
  });

  test("stops when it is told to", async () => {
    const abort = new AbortController();
    const events: string[] = [];
    const run = async (): Promise<void> => {
      const options = { dataset, submission, encoders, signal: abort.signal };
      for await (const event of scoreTgve(options)) {
        events.push(event.type);
        abort.abort();
      }
    };
    await expect(run()).rejects.toThrow("abort");
    expect(events).toEqual(["edit-scored"]);
  });

  test("says which folder has too few frames or none", async () => {
    const short = join(root, "short");
    await writeFrames(join(short, "DAVIS_480p", "gold-fish", "style"), 1);
    const [video] = dataset.videos;
    const paths = (await editedFrames(short, video!, video!.edits[0]!)) ?? [];
    const few = join(root, "few", "DAVIS_480p", "gold-fish", "style");
    for (const path of paths.slice(0, 3)) cpSync(path, join(few, basename(path)));
    // the last edit of all, yet nothing is scored first
    const late = { root, videos: [...dataset.videos.slice(1), video!] };
    const heard: string[] = [];
    const run = async (): Promise<void> => {
      const options = { dataset: late, submission: join(root, "few"), encoders };
      for await (const event of scoreTgve(options)) heard.push(event.type);
    };
    await expect(run()).rejects.toThrow("expected at least 8 frames, got 3");
    expect(heard).toEqual([]);
    const tooFew = eventsOf({ submission: join(root, "few") });
    await expect(tooFew).rejects.toThrow(DataError);
    await expect(tooFew).rejects.toThrow(`${few}: expected at least 8 frames, got 3`);
    const nowhere = { root: join(root, "nowhere"), videos: dataset.videos };
    await expect(eventsOf({ dataset: nowhere })).rejects.toThrow(UserError);
  });
});
