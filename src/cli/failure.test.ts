import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { ConfigError, DataError, invariant, UserError } from "../engine/errors.ts";
import { Tensor } from "../engine/tensor.ts";
import { failureOf } from "./failure.ts";

const failure = (error: unknown) => failureOf(error, { debug: false });

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("failureOf", () => {
  test("misuse ends with 2, any other failure with 1", () => {
    expect(failure(new UserError("no such verb"))).toEqual({
      text: "eve: no such verb",
      exitCode: 2,
    });
    expect(failure(new ConfigError("bad preset")).exitCode).toBe(2);
    expect(failure(new DataError("broken file"))).toEqual({
      text: "eve: broken file",
      exitCode: 1,
    });
  });

  test("a message of several lines becomes one", () => {
    expect(failure(new DataError("bad header:\n  hole at 8\n  overlap at 16")).text).toBe(
      "eve: bad header: hole at 8; overlap at 16",
    );
  });

  test("a system error names the path and the reason", () => {
    expect(failure(thrownBy(() => readFileSync("no/such/file"))).text).toBe(
      "eve: no/such/file: no such file or directory",
    );
    expect(failure(thrownBy(() => rmSync("."))).text).toBe(
      "eve: .: illegal operation on a directory",
    );
  });

  test("a full disk is named as such, with what to do", () => {
    // /dev/full is always full
    expect(failure(thrownBy(() => writeFileSync("/dev/full", "x"))).text).toBe(
      "eve: the disk that is written to: no space left on device; make room, and the same command goes on",
    );
  });

  test.each([
    ["/dev/null", "file already exists"],
    ["/dev/null/edits", "not a directory"],
  ])("a file where a folder is to be (%s) is named as such, with what to do", (path, reason) => {
    expect(failure(thrownBy(() => mkdirSync(path, { recursive: true }))).text).toBe(
      `eve: ${path} lies where a folder is to be: ${reason}; name a folder, there already or not`,
    );
  });

  test("a folder where a file is to be is named as such, with what to do", () => {
    const folder = temporaryFolder();
    const [file, taken] = [join(folder, "file"), join(folder, "taken")];
    writeFileSync(file, "x");
    mkdirSync(taken);
    const told = (act: () => unknown) => failure(thrownBy(act)).text;
    const advice = "is a folder where a file is to be: move it away, or name a file";
    expect(told(() => writeFileSync(taken, "x"))).toBe(`eve: ${taken} ${advice}`);
    expect(told(() => renameSync(file, taken))).toBe(`eve: ${taken} ${advice}`);
    expect(told(() => readFileSync(taken))).toBe(
      `eve: what is to be read (--debug shows what) ${advice}`,
    );
  });

  test("memory that does not suffice is named as such, with what to do", () => {
    const refused = thrownBy(() => Tensor.empty([1e9, 1e6]));
    expect(failure(refused)).toEqual({
      text: expect.stringMatching(/^eve: the memory does not suffice .*smaller --window/),
      exitCode: 1,
    });
    expect(failureOf(refused, { debug: true }).text).toContain("4000000000000000 bytes");
  });

  test("a defect of ours says so and how to learn more", () => {
    const defect = thrownBy(() => invariant(false, "the queue is empty"));
    expect(failure(defect).text).toBe(
      "eve: internal error: the queue is empty (--debug shows where)",
    );
  });

  test("only --debug shows the stack and the cause", () => {
    const error = new DataError("broken file", { cause: new Error("bad checksum") });
    expect(failure(error).text).not.toContain("bad checksum");
    expect(failureOf(error, { debug: true }).text).toMatch(/failure\.test\.ts[^]*bad checksum/);
  });
});
