import { expect, test } from "vitest";
import { deviationProblems, paperProblems } from "./check-paper.ts";

const files: Record<string, string> = {
  "src/a.ts": "export function kBinSample() {}",
  "src/a.test.ts": 'test("covers every bin", () => {});',
};
const read = (path: string) => files[path];

const map = (...rows: string[]) =>
  ["| Paper | What | Code | Test | Status |", "|---|---|---|---|---|", ...rows].join("\n");

test("a row whose symbol and test exist has no problem", () => {
  const row =
    '| §3.3 | K-bin | `src/a.ts:kBinSample` | `src/a.test.ts: "covers every bin"` | done |';
  expect(paperProblems(map(row), read)).toEqual([]);
});

test("a planned row needs no file", () => {
  expect(paperProblems(map("| §3.2 | critics | – | – | planned |"), read)).toEqual([]);
});

test.each([
  ["`src/b.ts:kBinSample`", "src/b.ts does not exist"],
  ["`src/a.ts:kBin`", "src/a.ts does not contain kBin"],
  ["K-bin", "the code cell names no `file:symbol`"],
])("the code cell %s is refused", (code, problem) => {
  const row = `| §3.3 | K-bin | ${code} | \`src/a.test.ts: "covers every bin"\` | done |`;
  expect(paperProblems(map(row), read)).toEqual([`line 3 (§3.3 K-bin): ${problem}`]);
});

test.each([
  ['`src/b.test.ts: "covers every bin"`', "src/b.test.ts does not exist"],
  ['`src/a.test.ts: "covers some bins"`', 'src/a.test.ts has no test named "covers some bins"'],
  ["yes", 'the test cell names no `file: "test name"`'],
])("the test cell %s is refused", (cell, problem) => {
  const row = `| §3.3 | K-bin | \`src/a.ts:kBinSample\` | ${cell} | done |`;
  expect(paperProblems(map(row), read)).toEqual([`line 3 (§3.3 K-bin): ${problem}`]);
});

test("an unknown status is refused", () => {
  expect(paperProblems(map("| §3.2 | critics | – | – | soon |"), read)).toEqual([
    'line 3 (§3.2 critics): status is "soon", expected done or planned',
  ]);
});

test("a map without rows is refused", () => {
  expect(paperProblems("nothing here", read)).toHaveLength(1);
});

test("each file with a deviation is named among them, and no other", () => {
  const table = "## Deviations\n| §3 | a | b, `src/a.ts`, `src/b.ts` | c |\n\n## Scale\n`src/c.ts`";
  expect(deviationProblems(table, ["src/a.ts", "src/b.ts"])).toEqual([]);
  expect(deviationProblems(table, ["src/a.ts", "src/c.ts"])).toEqual([
    'no deviation names src/c.ts, which has a "Deviation:"',
    'a deviation names src/b.ts, which has no "Deviation:"',
  ]);
});
