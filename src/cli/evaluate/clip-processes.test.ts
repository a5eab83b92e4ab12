import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { saveSmallModel } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { DataError } from "../../engine/errors.ts";
import { setThreads } from "../../engine/settings.ts";
import type { EvaluationOptions } from "../../evaluation/methods/options.ts";
import { evaluateClips, placeOptions, type ClipsContext } from "../../evaluation/world/clips.ts";
import { EditModel } from "../../eve/model/edit-model.ts";
import { ClipProcesses } from "./clip-processes.ts";
import type { ClipWork } from "./clip-work.ts";

// As each of the processes: sums of other numbers of threads are rounded differently
setThreads(1);

const root = temporaryFolder();
const { path } = saveSmallModel(join(root, "model"));
const model = EditModel.load(path);

const options: EvaluationOptions = {
  split: "validation",
  tasks: ["style", "add"],
  count: 2,
  frames: 3,
  methods: ["stacked", "frame-by-frame", "copy"],
  draw: { steps: 2, sampler: "ddim", guidance: { text: 1, image: 1 }, detail: "keep" },
  isCaptionGiven: true,
  seed: 4,
};
const work: ClipWork = { model: path, parts: {}, device: "cpu", options: placeOptions(options) };

/** Evaluates in so many processes; `aborting` stops them. */
async function evaluated(
  jobs: number,
  context: Omit<ClipsContext, "signal"> = {},
  aborting = new AbortController(),
) {
  const { signal } = aborting;
  await using processes = new ClipProcesses(work, { jobs, signal });
  return await evaluateClips(model, options, { ...context, signal, scorers: processes.scorers });
}

/** The processes that this one has started and that live. */
function children(): number[] {
  const tasks = `/proc/${process.pid}/task`;
  return readdirSync(tasks).flatMap((task) =>
    readFileSync(join(tasks, task, "children"), "utf8")
      .trim()
      .split(" ")
      .filter(Boolean)
      .map(Number),
  );
}

describe("clips that are edited in several processes", () => {
  test("come to what one process finds, and are told of with their frames", async () => {
    const told: string[] = [];
    const steps: number[] = [];
    const apart = await evaluated(2, {
      onClip: ({ method, task, index, output }) =>
        told.push(`${method} ${task} ${index} ${output.length} ${output[0]!.length}`),
      onWork: ({ step }) => steps.push(step),
    });
    expect(apart).toEqual(await evaluated(1));
    expect(told).toHaveLength(12);
    expect(told).toContain(`stacked add 1 3 ${32 * 32 * 3}`);
    expect(new Set(steps)).toEqual(new Set([1, 2]));
    expect(children()).toEqual([]);
  });

  test("end in one sentence where a process is ended from outside", async () => {
    let isKilled = false;
    const onWork = (): void => {
      if (!isKilled) process.kill(children()[0]!, "SIGKILL");
      isKilled = true;
    };
    const failed = evaluated(2, { onWork });
    await expect(failed).rejects.toThrow(DataError);
    await expect(failed).rejects.toThrow("choose fewer with --jobs");
    expect(children()).toEqual([]);
  });

  test("stop with those who asked for them", async () => {
    const aborting = new AbortController();
    const onWork = (): void => aborting.abort(new Error("enough"));
    await expect(evaluated(2, { onWork }, aborting)).rejects.toThrow("enough");
    expect(children()).toEqual([]);
  });
});
