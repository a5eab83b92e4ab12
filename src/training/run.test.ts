import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runFolder, trained } from "../../test/support/trained-run.ts";
import { DataError } from "../engine/errors.ts";

test.each(["{", "null", '{"type":"step-end"}', "\0\0"])(
  "a run whose notes hold %j does not go on, and leaves them as they are",
  async (line) => {
    const folder = runFolder();
    await trained(folder, { steps: 2 });
    const notes = join(folder, "metrics.jsonl");
    const lines = readFileSync(notes, "utf8").split("\n").length;
    appendFileSync(notes, `${line}\n`);
    const before = readFileSync(notes, "utf8");
    const attempt = trained(folder, { steps: 3 });
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(`metrics.jsonl, line ${lines}: expected`);
    expect(readFileSync(notes, "utf8")).toBe(before);
  },
);
