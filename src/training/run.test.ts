import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { runFolder, trained } from "../../test/support/trained-run.ts";
import { DataError } from "../engine/errors.ts";
import { TrainConfig } from "./config.ts";
import { openRunDirectory } from "./run.ts";

const root = temporaryFolder();
const config = TrainConfig.parse({ steps: 3, batch: 2, learningRate: 1e-3 });

function openAndLeave(name: string, work: (folder: string) => void = () => undefined): string {
  const folder = join(root, name);
  using directory = openRunDirectory(folder, "backbone", config);
  work(directory.path);
  return folder;
}

describe("the directory of a run", () => {
  test("is not left behind by a training that never began", () => {
    expect(existsSync(openAndLeave("in-vain"))).toBe(false);
  });

  test("stays with all that was written into it", () => {
    const folder = openAndLeave("begun", (path) => mkdirSync(join(path, "checkpoints", "first")));
    expect(readdirSync(folder)).toEqual(["checkpoints"]);
    const begun = readdirSync(join(folder, "checkpoints"));
    expect(readdirSync(join(openAndLeave("begun"), "checkpoints"))).toEqual(begun);
  });

  test("stays where somebody else has made it, empty or not", () => {
    mkdirSync(join(root, "mine"));
    expect(existsSync(openAndLeave("mine"))).toBe(true);
  });

  test("is one training's: a second is refused, and takes nothing from the first", () => {
    openAndLeave("busy", (path) => {
      expect(() => openAndLeave("busy")).toThrow(/is training in this directory/);
      expect(existsSync(path)).toBe(true);
    });
  });
});

test.each(["{", "null", '{"type":"step-end"}', "\0\0"])(
  "a run whose notes hold %j does not go on, and leaves them as they are",
  async (line) => {
    const folder = runFolder();
    await trained(folder, { steps: 2 });
    const notes = join(folder, "metrics.jsonl");
    const lines = readFileSync(notes, "utf8").split("\n").length;
    appendFileSync(notes, `${line}\n`);
    const before = readFileSync(notes, "utf8");
    const attempt = trained(folder, { steps: 3 });
    await expect(attempt).rejects.toThrow(DataError);
    await expect(attempt).rejects.toThrow(`metrics.jsonl, line ${lines}: expected`);
    expect(readFileSync(notes, "utf8")).toBe(before);
  },
);
