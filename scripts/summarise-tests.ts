import { readFileSync } from "node:fs";
import { z } from "zod";

const Report = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.unknown()) })),
});

/** How many tests of a run passed, failed and were skipped. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Counts vitest's JSON report; a file that failed before its first test counts as one failure. */
export function countTests(json: string): TestCounts {
  const report = Report.parse(JSON.parse(json));
  const brokenFiles = report.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

// node scripts/summarise-tests.ts <report.json> <checks passed> <checks failed>
if (import.meta.main) {
  const [path = "", checksPassed = "0", checksFailed = "0"] = process.argv.slice(2);
  const tests = countTests(readFileSync(path, "utf8"));
  const passed = tests.passed + Number(checksPassed);
  const failed = tests.failed + Number(checksFailed);
  console.log(`${passed} passed, ${failed} failed, ${tests.skipped} skipped`);
  process.exitCode = failed > 0 ? 1 : 0;
}
