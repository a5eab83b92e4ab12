import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { replaceFile } from "./replace-file.ts";

test("a file is replaced, and nothing else is left where it cannot be", () => {
  const folder = temporaryFolder();
  const path = join(folder, "latest");
  replaceFile(path, "old");
  replaceFile(path, "new");
  expect(readFileSync(path, "utf8")).toBe("new");
  mkdirSync(join(folder, "taken"));
  expect(() => replaceFile(join(folder, "taken"), "x")).toThrow(/EISDIR/);
  expect(readdirSync(folder)).toEqual(["latest", "taken"]);
});
