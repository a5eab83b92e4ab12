import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import { UserError } from "./engine/errors.ts";
import * as face from "./index.ts";

const index = new URL("index.ts", import.meta.url);

/** Names of the native addons that a process has mapped which imports the package and does `more`. */
function addonsAfter(more: string): string[] {
  const program = `
    const { loadEditor } = await import(${JSON.stringify(index.href)});
    ${more}
    process.report.excludeNetwork = true;
    const { sharedObjects } = process.report.getReport();
    console.log(JSON.stringify(sharedObjects.filter((file) => /\\.node$|torch/.test(file))));`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
  });
  const files = JSON.parse(printed) as string[];
  return files.map((file) => file.split("/").at(-1)!);
}

describe("importing the package", () => {
  test("maps no native addon", () => {
    expect(addonsAfter("")).toEqual([]);
  });

  test("and asking for a model that is not there does not load libtorch", () => {
    const more = `await loadEditor({ model: "models/of-nobody" }).then(
      () => { throw new Error("loaded") },
      (error) => { if (error.name !== "UserError") throw error });`;
    expect(addonsAfter(more)).not.toContain("door.node");
  });

  test("and loading a model does", () => {
    expect(addonsAfter(`await loadEditor({ model: "models/tiny" });`)).toContain("door.node");
  });

  test("gives functions that refuse in the errors that it exports", async () => {
    const path = `${temporaryFolder()}/nothing`;
    await expect(face.loadEditor({ model: path })).rejects.toThrow(face.UserError);
    await expect(face.readReceipt(path)).rejects.toThrow(face.UserError);
    await expect(face.loadOpenEditor({ loraStrength: 3 })).rejects.toThrow(face.UserError);
    await expect(face.writePng(`${path}/below/it.png`, new Uint8Array(3), 1, 1)).rejects.toThrow();
    expect(new face.MemoryError("too large", 2, 1)).toBeInstanceOf(UserError);
  });
});
