import { expect, test } from "vitest";
import { countTests } from "./summarise-tests.ts";

const report = (counts: object, testResults: object[] = []) =>
  JSON.stringify({
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    ...counts,
    testResults,
  });

test("skipped and todo tests are counted together", () => {
  const json = report({ numPassedTests: 5, numPendingTests: 2, numTodoTests: 1 });
  expect(countTests(json)).toEqual({ passed: 5, failed: 0, skipped: 3 });
});

test("a file that cannot even be loaded is a failure", () => {
  const files = [
    { status: "failed", assertionResults: [] },
    { status: "failed", assertionResults: [{}] },
  ];
  expect(countTests(report({ numFailedTests: 1 }, files)).failed).toBe(2);
});
