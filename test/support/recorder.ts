import { Reporter } from "../../src/cli/output.ts";

/** A reporter whose lines are kept: what a verb prints, and what it says beside. */
export function recorder({ json }: { readonly json: boolean }): {
  readonly out: string[];
  readonly err: string[];
  readonly report: Reporter;
} {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    columns: undefined,
    now: () => 0,
  };
  return { out, err, report: new Reporter({ json }, terminal) };
}
