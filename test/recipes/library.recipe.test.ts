import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { makeClip } from "../support/clips.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const read = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const library = new URL("../../src/index.ts", import.meta.url).href;

/** The code blocks of docs/library.md, by the heading they stand under. */
const blocks = readFileSync(read("docs/library.md"), "utf8")
  .split(/^## /m)
  .flatMap((section) => {
    const heading = section.split("\n", 1)[0]!;
    const code = /^```ts\n(.*?)^```$/ms.exec(section)?.[1];
    return code === undefined ? [] : [[heading, code] as const];
  });

describe("docs/library.md", () => {
  let folder = "";
  beforeAll(async () => {
    folder = temporaryFolder();
    const ticks = Array.from({ length: 6 }, (_, index) => index * 512);
    await makeClip(join(folder, "clip.mp4"), { ticks });
  });

  test("has all its chapters with code", () => {
    expect(blocks.length).toBeGreaterThanOrEqual(6);
  });

  test.each(blocks)("%s: runs as it stands, and prints nothing", (_heading, code) => {
    // A program outside the project has no package of this name: the door that package.json opens stands for it.
    const program = join(folder, "program.ts");
    writeFileSync(program, code.replaceAll('"open-eve"', JSON.stringify(library)));
    const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
      cwd: folder,
      encoding: "utf8",
    });
    expect([status, stdout, stderr]).toEqual([0, "", ""]);
  });

  test("names the door of the package", () => {
    const { name, exports } = JSON.parse(readFileSync(read("package.json"), "utf8"));
    expect([name, exports["."]]).toEqual(["open-eve", "./src/index.ts"]);
  });
});
