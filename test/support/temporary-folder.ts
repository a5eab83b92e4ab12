import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A new folder that is deleted when the tests of the file (or of the enclosing `describe`) have run. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "open-eve-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
