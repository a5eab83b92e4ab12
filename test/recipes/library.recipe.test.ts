import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { makeClip } from "../support/clips.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const read = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const text = readFileSync(read("docs/library.md"), "utf8");

/** The programs of docs/library.md, by the heading they stand under. */
const blocks = text.split(/^## /m).flatMap((section) => {
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
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
    symlinkSync(read("."), join(folder, "node_modules/open-eve"));
    symlinkSync(read("node_modules/@types/node"), join(folder, "node_modules/@types/node"));
  });

  test("has all its chapters with code", () => {
    expect(blocks.length).toBeGreaterThanOrEqual(6);
  });

  test.each(blocks)("%s: runs as it stands, and prints nothing", (_heading, code) => {
    const program = join(folder, "program.ts");
    writeFileSync(program, code);
    const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
      cwd: folder,
      encoding: "utf8",
    });
    expect([status, stdout, stderr]).toEqual([0, "", ""]);
  });

  test("type-checks as it stands by the settings that it names", () => {
    const own = join(folder, "checked");
    mkdirSync(own);
    writeFileSync(join(own, "tsconfig.json"), /^```json\n(.*?)^```$/ms.exec(text)?.[1] ?? "");
    for (const [index, [, code]] of blocks.entries())
      writeFileSync(join(own, `block-${index}.ts`), code);
    const { status, stdout } = spawnSync(read("node_modules/.bin/tsc"), ["-p", own], {
      encoding: "utf8",
    });
    expect([status, stdout]).toEqual([0, ""]);
  });

  test("names the door of the package", () => {
    const { name, exports } = JSON.parse(readFileSync(read("package.json"), "utf8"));
    expect([name, exports["."]]).toEqual(["open-eve", "./src/index.ts"]);
  });
});
