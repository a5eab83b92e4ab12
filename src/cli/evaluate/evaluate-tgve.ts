import { defineCommand } from "citty";
import { listOf } from "../arguments.ts";
import { deviceFrom } from "../device-option.ts";
import { Reporter } from "../output.ts";
import type { VerbContext } from "../verb.ts";
import { columnsFrom, tgveArgs } from "./tgve-options.ts";
import { clipArgs } from "./world-options.ts";

export default defineCommand({
  meta: {
    name: "tgve",
    description: "Score a submission to TGVE with the metrics of the paper's Table 1",
  },
  args: {
    submission: {
      type: "positional",
      description: "its folder: <set>/<video>/<edit>/*.jpg, as eve evaluate tgve-edits has it made",
    },
    ...tgveArgs,
    networks: {
      type: "string",
      valueHint: "list",
      description: "score only with these: clip, pick, viclip (default: all)",
    },
    scores: {
      type: "string",
      valueHint: "file",
      description: "keep each edit's figures here; the same command again scores what is left",
    },
    device: clipArgs.device,
    json: {
      type: "boolean",
      description: "print one JSON object per event; the last is the result",
    },
  },
  async run({ args, data }) {
    const { signal }: VerbContext = data;
    const report = new Reporter(args);
    const { loadTgveEncoders, TGVE_NETWORKS } = await import("./tgve-encoders.ts");
    const { requireSubmission, runTgve } = await import("./tgve-run.ts");
    const { readTgveDataset } = await import("../../data/tgve/dataset.ts");
    const { KeptScores } = await import("../../evaluation/tgve/kept-scores.ts");
    const { chooseDevice } = await import("../../engine/device.ts");
    const { useAllCores } = await import("../../engine/settings.ts");
    const { openHub } = await import("../../hub/hub.ts");
    const names = listOf("--networks", args.networks, TGVE_NETWORKS);
    const submission = args.submission ?? "";
    const { plus, scores } = args;
    const columns = columnsFrom(args);
    const dataset = await readTgveDataset(args.dataset, { plus, columns });
    await requireSubmission({ dataset, submission }, report);
    const kept = scores === undefined ? undefined : new KeptScores(scores);
    chooseDevice(deviceFrom(args.device));
    useAllCores();
    report.progress({ type: "progress", phase: `loading ${names.join(", ")}` });
    const encoders = await loadTgveEncoders(openHub(), names);
    await runTgve({ dataset, submission, encoders, kept, signal }, report);
  },
});
