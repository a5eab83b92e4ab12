import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor } from "../../engine/tensor.ts";
import { type Resumption, WorkFolder } from "./work-folder.ts";
import { workPath } from "./work-path.ts";

const identity = { input: "a", settings: { seed: 1 } };
const output = (folder: string) => join(folder, "out.mp4");

/** Opens the folder, does something in it and leaves it. */
function inFolder<T>(path: string, resume: Resumption, work: (folder: WorkFolder) => T): T {
  using folder = WorkFolder.open(output(path), identity, resume);
  return work(folder);
}

function save(folder: WorkFolder, stage: number, window: number, value: number): void {
  using _ = tensorScope();
  const latents = { input: Tensor.full([2, 1], value), edited: Tensor.full([2, 1], -value) };
  folder.stage(stage).save(window, latents);
}

function load(folder: WorkFolder, stage: number, window: number): number | undefined {
  using _ = tensorScope();
  return folder.stage(stage).load(window)?.edited.mean().item();
}

describe("WorkFolder", () => {
  test("gives back what an earlier run has finished, stage by stage", () => {
    const path = temporaryFolder();
    inFolder(path, true, (folder) => {
      save(folder, 0, 0, 3);
      save(folder, 1, 0, 5);
    });
    const found = inFolder(path, true, (folder) => [
      load(folder, 0, 0),
      load(folder, 1, 0),
      load(folder, 0, 1),
    ]);
    expect(found).toEqual([-3, -5, undefined]);
  });

  test("starts anew where it is not to be continued", () => {
    const path = temporaryFolder();
    inFolder(path, true, (folder) => save(folder, 0, 0, 3));
    expect(inFolder(path, false, (folder) => load(folder, 0, 0))).toBeUndefined();
  });

  test("refuses another edit's work by the name of what differs", () => {
    const path = temporaryFolder();
    inFolder(path, true, () => undefined);
    const other = { ...identity, settings: { seed: 2 } };
    expect(() => WorkFolder.open(output(path), other, true)).toThrow(
      /belongs to another edit \(different: settings\): repeat that edit, or start anew/,
    );
    expect(() => inFolder(path, true, () => undefined)).not.toThrow(); // the lock is free again
  });

  test("continues the same edit's work and removes another's, where that is asked for", () => {
    const path = temporaryFolder();
    inFolder(path, true, (folder) => save(folder, 0, 0, 3));
    const where = "where it is the same";
    expect(inFolder(path, where, (folder) => load(folder, 0, 0))).toBe(-3);
    const other = { ...identity, settings: { seed: 2 } };
    using folder = WorkFolder.open(output(path), other, where);
    expect(load(folder, 0, 0)).toBeUndefined();
  });

  test("admits one process at a time", () => {
    const path = temporaryFolder();
    using _ = WorkFolder.open(output(path), identity, true);
    expect(() => WorkFolder.open(output(path), identity, true)).toThrow(/is editing in this/);
  });

  test("refuses a damaged window and a damaged description", () => {
    const path = temporaryFolder();
    inFolder(path, true, (folder) => save(folder, 0, 0, 3));
    truncateSync(join(workPath(output(path)), "0-000000.safetensors"), 20);
    inFolder(path, true, (folder) => expect(() => load(folder, 0, 0)).toThrow(/0-000000/));
    writeFileSync(join(workPath(output(path)), "edit.json"), "{");
    expect(() => inFolder(path, true, () => undefined)).toThrow(/different: input, settings/);
  });
});
