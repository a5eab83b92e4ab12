import { defineCommand } from "citty";
import { invariant } from "../../engine/errors.ts";
import { numberOption } from "../arguments.ts";
import { Reporter } from "../output.ts";

export default defineCommand({
  meta: {
    name: "page",
    description:
      "Write one HTML page of a data set's clips and instructions, to read before training",
  },
  args: {
    folder: { type: "positional", description: "a data set made by eve data prepare" },
    out: {
      type: "string",
      alias: "o",
      valueHint: "file.html",
      description: "where to write (default: page.html in the folder)",
    },
    count: { type: "string", default: "60", valueHint: "n", description: "clips on the page" },
    json: { type: "boolean", description: "print one JSON object" },
  },
  async run({ args }) {
    const report = new Reporter(args);
    const count = numberOption("--count", args.count, { min: 1, max: 2000, integer: true });
    const { folder } = args;
    invariant(folder !== undefined, "the parser asks for the folder");
    const { dataFiles } = await import("../../data/clips/dataset.ts");
    const { writePage } = await import("../../data/page/page.ts");
    const path = args.out ?? dataFiles(folder).page;
    const { clips, shown } = await writePage(folder, path, count);
    report.event(
      { type: "page-written", path, clips, shown },
      `${path}: ${shown} of ${clips} clips`,
    );
  },
});
