import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { runArguments } from "../command.ts";
import { estimateText, eventText } from "./train.ts";

test("a run's events read as sentences", () => {
  const end = { type: "run-end", step: 7 } as const;
  expect(eventText({ ...end, reason: "stopped", weights: null })).toBe(
    "stopped after step 7: the same command continues",
  );
  expect(eventText({ ...end, reason: "finished", weights: "runs/a/weights/a.safetensors" })).toBe(
    "finished after 7 steps: runs/a/weights/a.safetensors",
  );
  expect(eventText({ type: "validation-end", step: 5, numbers: { psnr: 30.123456, kl: 2 } })).toBe(
    "step 5: psnr 30.12 · kl 2.000",
  );
});

test("the estimate names every figure with its unit", () => {
  const text = estimateText(
    {
      stage: "autoencoder",
      dataset: "pictures",
      trainableValues: 2_600_000,
      frozenValues: 0,
      weightBytes: 10.4e6,
      gradientBytes: 10.4e6,
      optimizerBytes: 20.8e6,
      emaBytes: 10.4e6,
      checkpointBytes: 41.6e6,
      stepBytes: 1.2e9,
      peakBytes: 1.5e9,
      secondsPerStep: 0.4,
      samplesPerSecond: 20,
      totalSeconds: 1800,
    },
    4500,
  );
  const figures = Object.fromEntries(text.split("\n").map((line) => line.split(/ {2,}/)));
  expect(figures).toMatchObject({
    "values to train": "2.6 million",
    optimizer: "20.8 MB",
    "growth in a step": "1.2 GB",
    "one step": "0.400 s (20.0 samples/s)",
    "4500 steps": "30 min 00 s",
  });
});

test("a training that cannot begin leaves no folder", async () => {
  const folder = temporaryFolder();
  const [model, out] = [join(folder, "nowhere"), join(folder, "run")];
  const training = runArguments(
    ["train", "backbone", "--set", `stage.model=${model}`, "--out", out],
    { signal: new AbortController().signal },
  );
  await expect(training).rejects.toThrow(/^expected a model with .* which does not exist/);
  expect(existsSync(out)).toBe(false);
});
