import { describe, expect, test } from "vitest";
import { clipFolder, makeClip } from "../support/clips.ts";
import { standInEditor } from "../support/edits.ts";
import { engineInfo } from "../../src/engine/settings.ts";
import { probeVideo } from "../../src/data/video/probe.ts";

const FRAMES = 3000;
const PARTS = 6;

/** What the process holds and has worked when a part of the clip is done. */
interface Mark {
  readonly memoryBytes: number;
  readonly liveTensors: number;
  /** Of all its threads: other work on the machine does not count. */
  readonly cpuSeconds: number;
}

function mark(): Mark {
  const { user, system } = process.cpuUsage();
  return {
    memoryBytes: process.memoryUsage.rss(),
    liveTensors: engineInfo().liveTensors,
    cpuSeconds: (user + system) / 1e6,
  };
}

describe("an edit of 3,000 frames", () => {
  test("takes no more memory and no more time at its end than near its beginning", async () => {
    await using folder = await clipFolder();
    const [input, output] = [folder.file("input.mp4"), folder.file("output.mp4")];
    const ticks = Array.from({ length: FRAMES }, (_, index) => index * 512);
    await makeClip(input, { width: 64, height: 48, ticks });
    const marks: Mark[] = [];
    const { result } = standInEditor({ factor: -1 }).edit(input, "make it snow", {
      output,
      steps: 2,
      keepWork: true,
      onFrame: ({ index }) => {
        if ((index + 1) % (FRAMES / PARTS) === 0) marks.push(mark());
      },
    });
    expect((await result).frames).toBe(FRAMES);
    expect((await probeVideo(output)).frames).toBe(FRAMES);
    const [first, last] = [marks[1]!, marks.at(-1)!]; // in the first part caches fill
    expect(last.liveTensors).toBeLessThanOrEqual(first.liveTensors);
    // A clip of which one frame in a hundred were kept would hold 30 × 9 kB; garbage not yet collected is more.
    expect(last.memoryBytes - first.memoryBytes).toBeLessThan(60e6);
    const seconds = marks
      .slice(1)
      .map(({ cpuSeconds }, index) => cpuSeconds - marks[index]!.cpuSeconds);
    // Were the time quadratic, the last part would take more than twice the second.
    expect(seconds.at(-1)! / seconds[0]!).toBeLessThan(1.6);
  });
});
