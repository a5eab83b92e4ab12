import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { probeVideo } from "../data/video/probe.ts";
import { Tensor } from "../engine/tensor.ts";
import { writeSampleFiles } from "./sample-files.ts";

test("sheets become PNG and clips become video, named by step", async () => {
  const folder = mkdtempSync(join(tmpdir(), "samples-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const picture = Tensor.zeros([3, 16, 16]);
  const [sheet = "", clip = ""] = await writeSampleFiles(join(folder, "samples"), 500, [
    { type: "sheet", name: "edits", rows: [[picture, picture]], labels: ["make it blue"] },
    { type: "clip", name: "motion", frames: Tensor.zeros([5, 3, 32, 48]), fps: 8 },
  ]);
  expect(sheet).toBe(join(folder, "samples", "step-000500-edits.png"));
  expect(readFileSync(sheet).subarray(1, 4).toString()).toBe("PNG");
  expect(clip).toBe(join(folder, "samples", "step-000500-motion.mp4"));
  expect(await probeVideo(clip)).toMatchObject({ width: 48, height: 32 });
});
