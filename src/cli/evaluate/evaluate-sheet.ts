import { defineCommand } from "citty";
import { UserError } from "../../engine/errors.ts";
import type { ClipPlace } from "../../evaluation/world/test-clip.ts";
import { listOf, numberOption, oneOf } from "../arguments.ts";
import { Reporter } from "../output.ts";
import type { VerbContext } from "../verb.ts";
import { openEvaluated } from "./open-evaluated.ts";
import {
  drawingArgs,
  drawingOptions,
  elsewhere,
  forModel,
  stepsArg,
  stepsAsked,
} from "./world-options.ts";

/** Ways to edit that a sheet can show, from the one that sees least to the one that sees most. */
const EDITORS = ["frame-by-frame", "stacked", "aligned"] as const;

export default defineCommand({
  meta: {
    name: "sheet",
    description: "Draw clips over time: input, each way to edit, and the truth, below each other",
  },
  args: {
    clips: {
      type: "string",
      default: "style:0",
      valueHint: "list",
      description: "which clips, as task:index separated by commas, e.g. style:0,remove:4",
    },
    out: {
      type: "string",
      alias: "o",
      required: true,
      valueHint: "file",
      description: "the picture to write, .png or .jpg",
    },
    methods: {
      type: "string",
      valueHint: "list",
      description: "frame-by-frame, stacked, aligned (default: all that the model can do)",
    },
    ...drawingArgs,
    steps: stepsArg,
    noise: {
      ...drawingArgs.noise,
      default: "independent",
      description: "independent noise for each frame, or shared",
    },
    columns: {
      type: "string",
      default: "6",
      valueHint: "n",
      description: "frames of a clip, at most",
    },
    json: { ...drawingArgs.json, description: "print one JSON object per event" },
  },
  async run({ args, data }) {
    const { signal }: VerbContext = data;
    const report = new Reporter(args);
    const { NOISE_MODES } = await import("../../editing/settings/settings.ts");
    const { requirePicturePath } = await import("../../data/image/write-picture.ts");
    const mode = oneOf("--noise", args.noise, NOISE_MODES);
    const { draw, ...rest } = await drawingOptions(args);
    const options = {
      ...rest,
      clips: await clipPlaces(args.clips),
      columns: numberOption("--columns", args.columns, { min: 1, max: 100, integer: true }),
      methods: listOf("--methods", args.methods, EDITORS).map((name) =>
        mode === "shared" ? (`${name}-shared` as const) : name,
      ),
      draw: { ...draw, steps: stepsAsked(args.steps) },
    };
    await requirePicturePath(args.out);
    const parts = elsewhere(args);
    const { runClipSheet } = await import("./clip-sheet-run.ts");
    const model = await openEvaluated(args, report, parts);
    await runClipSheet(model, await forModel(options, model), { report, signal, out: args.out });
  },
});

/** Reads `style:0,remove:4`; throws a UserError for what is none. */
export async function clipPlaces(text: string): Promise<ClipPlace[]> {
  const { TASKS } = await import("../../data/world/tasks.ts");
  return text.split(",").map((one) => {
    const [task = "", index, ...more] = one.trim().split(":");
    if (index === undefined || more.length > 0)
      throw new UserError(`--clips: expected task:index such as style:0, got "${one.trim()}"`);
    return {
      task: oneOf("--clips", task, TASKS),
      index: numberOption("--clips", index, { min: 0, max: 1e9, integer: true }),
    };
  });
}
