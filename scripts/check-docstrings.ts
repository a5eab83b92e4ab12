import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** An exported symbol without a comment that says what it is. */
export interface Undocumented {
  /** Counted from 1. */
  readonly line: number;
  readonly name: string;
}

const DECLARATION =
  /^(export )?(?:declare |abstract |async )*(?:class|const|function\*?|interface|let|type) (\w+)/;

/**
 * The exported symbols of a source file that have no TSDoc comment right above them.
 *
 * One comment serves a schema and the type of the same name that is inferred from it, and all overloads of a function. What is
 * exported from other files has its comment there, and a verb of the command line has its `description`.
 */
export function undocumentedExports(source: string): Undocumented[] {
  const lines = source.split("\n");
  const documented = new Set<string>();
  return lines.flatMap((text, index) => {
    const [, exported, name] = DECLARATION.exec(text) ?? [];
    if (name === undefined) return [];
    if (isEndOfDocstring(lines, index - 1)) documented.add(name);
    return exported === undefined || documented.has(name) ? [] : [{ line: index + 1, name }];
  });
}

/** Whether a TSDoc comment, which begins with two stars, ends in the line `last`. */
function isEndOfDocstring(lines: readonly string[], last: number): boolean {
  if (lines[last]?.trimEnd().endsWith("*/") !== true) return false;
  const begin = lines.slice(0, last + 1).findLast((text) => text.trimStart().startsWith("/*"));
  return begin?.trimStart().startsWith("/**") === true;
}

if (import.meta.main) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const paths = globSync("src/**/*.ts", { cwd: root })
    .filter((path) => !path.endsWith(".test.ts"))
    .toSorted();
  const problems = paths.flatMap((path) =>
    undocumentedExports(readFileSync(`${root}/${path}`, "utf8")).map(
      ({ line, name }) => `${path}:${line} exports ${name} without a comment that says what it is`,
    ),
  );
  for (const problem of problems) console.error(problem);
  console.log(`docstrings: ${paths.length} files, ${problems.length} problems`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
