import { defineCommand } from "citty";
import type { VerbContext } from "./verb.ts";
import { numberOption, oneOf } from "./arguments.ts";
import { Reporter } from "./output.ts";

const sample = defineCommand({
  meta: {
    name: "sample",
    description:
      "Draw scenes of the generated world: each as a clip, a strip of frames and its record",
  },
  args: {
    count: { type: "string", default: "8", valueHint: "n", description: "how many scenes" },
    first: {
      type: "string",
      default: "0",
      valueHint: "index",
      description: "index of the first scene",
    },
    split: {
      type: "string",
      default: "train",
      valueHint: "name",
      description: "train, validation or test",
    },
    frames: {
      type: "string",
      default: "16",
      valueHint: "n",
      description: "length of each clip",
    },
    size: {
      type: "string",
      default: "128",
      valueHint: "pixels",
      description: "width and height of a frame",
    },
    out: {
      type: "string",
      alias: "o",
      default: "samples",
      valueHint: "dir",
      description: "where to write",
    },
    json: { type: "boolean", description: "print one JSON object per scene" },
  },
  async run({ args, data }) {
    const { signal }: VerbContext = data;
    const { SPLITS } = await import("../data/world/splits.ts");
    const options = {
      split: oneOf("--split", args.split, SPLITS),
      first: numberOption("--first", args.first, { min: 0, integer: true }),
      count: numberOption("--count", args.count, { min: 1, max: 10_000, integer: true }),
      frames: numberOption("--frames", args.frames, { min: 1, max: 600, integer: true }),
      size: numberOption("--size", args.size, { min: 16, max: 1024, integer: true }),
    };
    const { writeSamples } = await import("./world-samples.ts");
    const report = new Reporter(args);
    for await (const written of writeSamples(args.out, options)) {
      report.event({ type: "scene", ...written }, written.video);
      if (signal.aborted) break;
    }
  },
});

export default defineCommand({
  meta: { name: "world", description: "The generated world that the tiny model learns from" },
  subCommands: { sample },
});
