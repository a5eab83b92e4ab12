import { existsSync, globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** One row of PAPER.md's map from the paper to the code. */
export interface PaperRow {
  readonly line: number;
  readonly item: string;
  readonly code: string;
  readonly test: string;
  readonly status: string;
}

/** Reads a repository file by its path from the root; undefined where there is none. */
export type ReadFile = (path: string) => string | undefined;

const HEADER = ["Paper", "What", "Code", "Test", "Status"];

/** The rows of every table in `markdown` whose header is that of the map. */
export function paperRows(markdown: string): PaperRow[] {
  const rows: PaperRow[] = [];
  let inMap = false;
  for (const [index, text] of markdown.split("\n").entries()) {
    const cells = text.startsWith("|") ? text.split("|").slice(1, -1) : [];
    const [item = "", what, code = "", test = "", status = ""] = cells.map((cell) => cell.trim());
    if (cells.length === 0) inMap = false;
    else if (HEADER.every((title, column) => cells[column]?.trim() === title)) inMap = true;
    else if (inMap && !/^-+$/.test(item)) {
      rows.push({ line: index + 1, item: `${item} ${what}`, code, test, status });
    }
  }
  return rows;
}

/**
 * What is wrong with a row, one sentence each; nothing for a row that is true.
 *
 * A `done` row names `file:symbol` and `file: "test name"`, both in backticks, and both must exist.
 * A `planned` row promises nothing.
 */
export function rowProblems(row: PaperRow, read: ReadFile): string[] {
  if (row.status === "planned") return [];
  if (row.status !== "done") return [`status is "${row.status}", expected done or planned`];
  return [...codeProblems(row.code, read), ...testProblems(row.test, read)];
}

function codeProblems(cell: string, read: ReadFile): string[] {
  const places = [...cell.matchAll(/`([^`:]+):([^`]+)`/g)];
  if (places.length === 0) return ["the code cell names no `file:symbol`"];
  return places.flatMap(([, file = "", symbol = ""]) => {
    const text = read(file);
    if (text === undefined) return [`${file} does not exist`];
    const identifiers = new Set(text.split(/[^\w$]+/));
    const known = symbol.split(".").every((part) => identifiers.has(part));
    return known ? [] : [`${file} does not contain ${symbol}`];
  });
}

function testProblems(cell: string, read: ReadFile): string[] {
  const places = [...cell.matchAll(/`([^`:]+): "([^`]+)"`/g)];
  if (places.length === 0) return ['the test cell names no `file: "test name"`'];
  return places.flatMap(([, file = "", name = ""]) => {
    const text = read(file);
    if (text === undefined) return [`${file} does not exist`];
    return text.includes(name) ? [] : [`${file} has no test named "${name}"`];
  });
}

/** Every problem of the map, each headed by its line and item. */
export function paperProblems(markdown: string, read: ReadFile): string[] {
  const rows = paperRows(markdown);
  if (rows.length === 0) return [`no table with the header ${HEADER.join(" | ")}`];
  return rows.flatMap((row) =>
    rowProblems(row, read).map((problem) => `line ${row.line} (${row.item}): ${problem}`),
  );
}

const DEVIATIONS = "## Deviations";

/**
 * What the table of deviations lacks of the files in `marked`, which have a `Deviation:`, and which files it names that have
 * none.
 */
export function deviationProblems(markdown: string, marked: readonly string[]): string[] {
  const [, after = ""] = markdown.split(`${DEVIATIONS}\n`);
  const [table = ""] = after.split("\n## ");
  const named = new Set([...table.matchAll(/`(src\/[^`]+)`/g)].map(([, path = ""]) => path));
  return [
    ...marked
      .filter((path) => !named.has(path))
      .map((path) => `no deviation names ${path}, which has a "Deviation:"`),
    ...[...named]
      .filter((path) => !marked.includes(path))
      .map((path) => `a deviation names ${path}, which has no "Deviation:"`),
  ];
}

/** The sources that have a deviation, tests aside. */
function markedSources(): string[] {
  const root = fileURLToPath(new URL("..", import.meta.url));
  return globSync("src/**/*.ts", { cwd: root })
    .filter((path) => !path.endsWith(".test.ts"))
    .filter((path) => readFromRoot(path)?.includes("Deviation:"))
    .toSorted();
}

function readFromRoot(path: string): string | undefined {
  const url = new URL(`../${path}`, import.meta.url);
  return existsSync(url) ? readFileSync(url, "utf8") : undefined;
}

if (import.meta.main) {
  const markdown = readFromRoot("PAPER.md") ?? "";
  const problems = [
    ...paperProblems(markdown, readFromRoot),
    ...deviationProblems(markdown, markedSources()),
  ];
  for (const problem of problems) console.error(`PAPER.md ${problem}`);
  const rows = paperRows(markdown);
  const done = rows.filter(({ status }) => status === "done").length;
  console.log(`PAPER.md: ${done} of ${rows.length} items done, ${problems.length} problems`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
