// How long an edit goes on after it was stopped: node bench/cancel.ts [model folder] [frames]
//
// Stops edits of a 640 × 360 clip at moments spread over their whole length; prints how long each took to end.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { loadEditor } from "../src/editing/editor.ts";
import { makeClip } from "../test/support/clips.ts";
import { median } from "./median.ts";

const model = process.argv[2] ?? "models/tiny";
const frames = Number(process.argv[3] ?? 32);
const STOPS = 16;

const folder = await mkdtemp(join(tmpdir(), "open-eve-cancel-"));
const video = join(folder, "input.mp4");
const ticks = Array.from({ length: frames }, (_, index) => index * 512);
await makeClip(video, { width: 640, height: 360, ticks });
await using editor = await loadEditor({ model });
const edit = (signal?: AbortSignal) =>
  editor.edit(video, "turn the background into a night sky", {
    output: join(folder, "output.mp4"),
    signal,
  });
const removeResult = async (): Promise<void> => {
  for (const name of ["output.mp4", "output.mp4.json"]) await rm(join(folder, name));
};
const { seconds } = await edit().result;
await removeResult();

const delays: number[] = [];
for (let stop = 0; stop < STOPS; stop++) {
  const controller = new AbortController();
  const { result } = edit(controller.signal);
  const ended = result.then(
    () => undefined,
    () => performance.now(),
  );
  await setTimeout((seconds * 1000 * (stop + 0.5)) / STOPS);
  const from = performance.now();
  controller.abort();
  const end = await ended;
  if (end === undefined) await removeResult(); // it was faster than the first
  else delays.push(end - from);
}
const left = (await readdir(folder)).filter((name) => name !== "input.mp4");
await rm(folder, { recursive: true });
const worst = Math.max(...delays);
console.log(
  `${delays.length} of ${STOPS} edits stopped: median ${median(delays).toFixed(0)} ms, longest ${worst.toFixed(0)} ms; files left: ${left.length}; load ${loadavg()[0]!.toFixed(1)}`,
);
