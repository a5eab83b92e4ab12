// Speed and memory over a long clip: node bench/long-clip.ts [frames] [model folder]
//
// Edits a clip of 640 × 360 with sound in the default settings; prints frames a second for every quarter of it, and
// how the memory of the process grew. Time is linear and memory flat where all quarters are alike.
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { loadEditor } from "../src/editing/editor.ts";
import { audioPackets, makeClip } from "../test/support/clips.ts";

const frames = Number(process.argv[2] ?? 600);
const model = process.argv[3] ?? "models/tiny";

const folder = await mkdtemp(join(tmpdir(), "open-eve-long-"));
const video = join(folder, "input.mp4");
const output = join(folder, "output.mp4");
const ticks = Array.from({ length: frames }, (_, index) => index * 512);
await makeClip(video, { width: 640, height: 360, ticks, audio: "aac" });
await using editor = await loadEditor({ model });

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`;
const peak = (): number => process.resourceUsage().maxRSS * 1024;
let quarter = { at: performance.now(), frame: 0 };
const quarters: string[] = [];
const edit = editor.edit(video, "turn the background into a night sky", {
  output,
  onFrame: ({ index }) => {
    if ((index + 1) % Math.ceil(frames / 4) !== 0 && index + 1 !== frames) return;
    const now = performance.now();
    const rate = ((index + 1 - quarter.frame) / (now - quarter.at)) * 1000;
    quarters.push(`${rate.toFixed(2)} frames/s, peak ${megabytes(peak())}`);
    quarter = { at: now, frame: index + 1 };
  },
});
const before = peak();
for await (const event of edit) {
  if (event.type !== "estimate" || event.seconds === null) continue;
  console.log(`estimated: ${event.seconds.toFixed(0)} s, ${megabytes(event.memoryBytes)}`);
}
const result = await edit.result;
const isSoundKept =
  JSON.stringify(await audioPackets(output)) === JSON.stringify(await audioPackets(video));
await rm(folder, { recursive: true });
for (const [index, text] of quarters.entries()) console.log(`quarter ${index + 1}: ${text}`);
console.log(
  `${result.frames} frames of 640 × 360 in ${result.seconds.toFixed(0)} s (${(result.frames / result.seconds).toFixed(2)} frames/s), ` +
    `memory ${megabytes(before)} before, ${megabytes(peak())} at most; sound ${isSoundKept ? "copied" : "NOT copied"}; load ${loadavg()[0]!.toFixed(1)}`,
);
