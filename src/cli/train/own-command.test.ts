import { expect, test } from "vitest";
import { recorder } from "../../../test/support/recorder.ts";
import { DataError } from "../../engine/errors.ts";
import { ownCommand, tellingProgress } from "./own-command.ts";

const { signal } = new AbortController();

test("what another command prints is told line by line, and given back", async () => {
  const lines: string[] = [];
  const printed = await ownCommand(["train", "--help"], {
    signal,
    onLine: (line) => lines.push(line),
  });
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.join("\n")).toBe(printed);
  expect(printed).toContain("--dry-run");
});

test("a command that fails is named", async () => {
  const failed = ownCommand(["evaluate", "nothing"], { signal });
  await expect(failed).rejects.toThrow(DataError);
  await expect(failed).rejects.toThrow("eve evaluate nothing failed: its message stands above");
});

test.each([false, true])("progress and warnings are told on; with --json %s", (json) => {
  const { out, err, report } = recorder({ json });
  const tell = tellingProgress("EVE, seed 2", report);
  tell(
    '{"type":"progress","phase":"whole clips","detail":"aligned · add 3/20","step":2,"steps":9}',
  );
  tell('{"type":"warning","message":"no such part"}');
  tell('{"type":"clip-scored","index":3}');
  tell("a text");
  if (json)
    expect(out.map((line): unknown => JSON.parse(line))).toEqual([
      {
        type: "progress",
        phase: "EVE, seed 2: whole clips",
        detail: "aligned · add 3/20",
        step: 2,
        steps: 9,
      },
      { type: "warning", message: "EVE, seed 2: no such part" },
    ]);
  else
    expect(err).toEqual([
      "EVE, seed 2: whole clips · step 2/9 · aligned · add 3/20\n",
      "eve: EVE, seed 2: no such part\n",
    ]);
  expect(json ? err : out).toEqual([]);
});
