import { existsSync } from "node:fs";
import { defineCommand } from "citty";
import { UserError } from "../../engine/errors.ts";
import { Reporter } from "../output.ts";
import { columnsFrom, tgveArgs } from "./tgve-options.ts";

export default defineCommand({
  meta: {
    name: "tgve-edits",
    description: "Write all edits of TGVE as lines for eve batch, which makes a submission of them",
  },
  args: {
    ...tgveArgs,
    instructions: {
      type: "string",
      valueHint: "file",
      description:
        'instructions as InsV2V has them: {"<video>": {"edit_style": "…"}} (default: the captions)',
    },
    out: {
      type: "string",
      alias: "o",
      default: "edits.jsonl",
      valueHint: "file",
      description: "where to write",
    },
    json: { type: "boolean", description: "print one JSON object" },
  },
  async run({ args }) {
    const report = new Reporter(args);
    const { dataset: root, plus, instructions, out } = args;
    if (existsSync(out)) throw new UserError(`${out} exists: give another --out, or move it away`);
    const columns = columnsFrom(args);
    const { readTgveDataset } = await import("../../data/tgve/dataset.ts");
    const { tgveLines } = await import("../../data/tgve/batch-lines.ts");
    const { writeJsonLines } = await import("../../data/clips/json-lines.ts");
    const { requireWritable } = await import("../../data/output-file.ts");
    const dataset = await readTgveDataset(root, { plus, columns, instructions });
    const lines = tgveLines(dataset);
    await requireWritable(out);
    writeJsonLines(out, lines);
    if (plus === undefined && instructions === undefined)
      report.warn(
        "captions of the results stand for instructions: --instructions takes a file of those",
      );
    const { length } = dataset.videos;
    report.event(
      { type: "edits-written", path: out, edits: lines.length, videos: length },
      `${out}: ${lines.length} edits of ${length} videos, for ./eve batch ${out} --out submission/`,
    );
  },
});
