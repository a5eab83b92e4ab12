import { defineCommand } from "citty";
import { UserError } from "../../engine/errors.ts";
import { Reporter } from "../output.ts";

export default defineCommand({
  meta: {
    name: "compare",
    description:
      "Set two measurements, or submissions to TGVE, beside each other, clip by clip, with intervals",
  },
  args: {
    first: {
      type: "positional",
      description: "what an evaluation printed with --json, e.g. after.jsonl",
    },
    second: {
      type: "positional",
      required: false,
      description: "another of the same clips, e.g. before.jsonl",
    },
    method: {
      type: "string",
      valueHint: "name",
      description: "only this method of the first, e.g. aligned (default: all that both have)",
    },
    against: {
      type: "string",
      valueHint: "name",
      description: "this method of the second, or of the first where there is no other",
    },
    json: { type: "boolean", description: "print the result as one JSON object" },
  },
  async run({ args }) {
    const { first = "", second, method, against } = args;
    if (against !== undefined && method === undefined)
      throw new UserError("--against needs --method: name what is set against it");
    if (second === undefined && (method === undefined || against === undefined))
      throw new UserError("give a second file, or two methods of the one: --method and --against");
    const report = new Reporter(args);
    const { runTgveComparison, tgveEditsIn } = await import("./tgve-comparison-run.ts");
    const own = await tgveEditsIn(first);
    if (own.length > 0) {
      if (second === undefined || method !== undefined)
        throw new UserError(
          `${first} is of TGVE: give a file of another submission, and no --method`,
        );
      return await runTgveComparison({ first, second, own }, report);
    }
    const { runComparison } = await import("./comparison-run.ts");
    await runComparison({ first, second: second ?? first, method, against }, report);
  },
});
