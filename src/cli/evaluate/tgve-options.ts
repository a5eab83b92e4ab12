import { PLUS_COLUMNS, PLUS_FIELDS, type PlusColumns } from "../../data/tgve/plus-table.ts";
import { UserError } from "../../engine/errors.ts";
import { oneOf } from "../arguments.ts";

/** What the verbs about TGVE ask of the benchmark. */
export const tgveArgs = {
  dataset: {
    type: "string",
    required: true,
    valueHint: "dir",
    description: "the folder that the TGVE archive was unpacked to",
  },
  plus: {
    type: "string",
    valueHint: "file",
    description: "TGVE+ as JSON lines: its edits of those videos, in place of TGVE's",
  },
  columns: {
    type: "string",
    valueHint: "list",
    description: `what that file calls its columns where not ${Object.values(PLUS_COLUMNS).join(", ")}: video=path,task=type`,
  },
} as const;

/** The names of `--columns`. Throws a UserError for what is no list of them, and without a file that has them. */
export function columnsFrom({
  columns: text,
  plus,
}: {
  readonly columns?: string | undefined;
  readonly plus?: string | undefined;
}): Partial<PlusColumns> {
  if (text === undefined) return {};
  if (plus === undefined) throw new UserError("--columns are those of TGVE+: give --plus, too");
  const pairs = text.split(",").map((pair) => {
    const [field = "", name = "", ...rest] = pair.split("=").map((part) => part.trim());
    if (name === "" || rest.length > 0)
      throw new UserError(`--columns: expected a list such as video=path,task=type, got "${pair}"`);
    return [oneOf("--columns", field, PLUS_FIELDS), name];
  });
  return Object.fromEntries(pairs);
}
