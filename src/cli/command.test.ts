import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runArguments } from "./command.ts";

const context = { signal: new AbortController().signal };
const main = fileURLToPath(new URL("main.ts", import.meta.url));

function eve(...args: string[]) {
  // A door that does not exist: whoever loads the engine fails.
  const env = { ...process.env, EVE_DOOR: "/nonexistent/door.node" };
  const { stdout, stderr, status } = spawnSync(process.execPath, [main, ...args], {
    encoding: "utf8",
    env,
    timeout: 15_000,
  });
  return { stdout, stderr, status };
}

describe("runArguments", () => {
  test.each([[[]], [["--help"]], [["-h"]], [["help"]]])("%j prints the verbs", async (argv) => {
    expect(await runArguments(argv, context)).toMatch(/world[^]*doctor/);
  });

  test.each([[["world", "sample", "--help"]], [["help", "world", "sample"]]])(
    "%j prints the options of that verb under its whole name",
    async (argv) => {
      expect(await runArguments(argv, context)).toMatch(/eve world sample[^]*--count/);
    },
  );

  test("edit --help has its options under headings, in lines that fit a screen", async () => {
    const help = (await runArguments(["edit", "--help"], context))!;
    expect(help).toMatch(/WHERE TO[^]*--out <file>[^]*WHAT TO CHANGE[^]*--mask[^]*HOW[^]*--steps/);
    expect(Math.max(...help.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  test("--version starts with the package's version", async () => {
    expect(await runArguments(["--version"], context)).toMatch(/^\d+\.\d+\.\d+/);
  });

  test.each([
    [["docter"], 'eve has no verb "docter"; did you mean doctor?'],
    [["world", "smaple"], 'eve world has no verb "smaple"; did you mean sample?'],
    [["constructor"], /eve has no verb "constructor"; there are .*world, .*doctor/],
    [["world"], "eve world needs a verb: eve world --help lists them"],
    [["doctor", "--jsn"], "unknown option --jsn; did you mean --json?"],
    [["--verison"], "unknown option --verison; did you mean --version?"],
  ])("refuses %j", async (argv, sentence) => {
    await expect(runArguments(argv, context)).rejects.toThrow(sentence);
  });
});

describe("the process", () => {
  test("help needs no engine and ends with 0", () => {
    const { status, stdout, stderr } = eve("--help");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toContain("doctor");
  });

  test("misuse is one sentence on stderr and ends with 2", () => {
    expect(eve("world", "sample", "--count", "many")).toEqual({
      status: 2,
      stdout: "",
      stderr: 'eve: --count: expected a whole number, at least 1, at most 10000, got "many"\n',
    });
  });

  test("a setting of the distillation that does not exist is named, without the engine", () => {
    const { status, stderr } = eve("distill", "--set", "stage.kBin.bin=2");
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^eve: --set: no setting is called stage\.kBin\.bin; did you mean stage\.kBin\.bins\?\n$/,
    );
  });

  test.each([
    ["no-sdss", /^eve: --ablation: expected one of full, random-init, .*did you mean no-sds\?\n$/],
    ["no-alignment", /^eve: the ablation no-alignment trains nothing: it is the method stacked/],
  ])("the ablation %s is answered with one sentence", (name, sentence) => {
    const { status, stderr } = eve("distill", "--ablation", name);
    expect(status).toBe(2);
    expect(stderr).toMatch(sentence);
  });

  test("a failure is one sentence and ends with 1; --debug adds the stack", () => {
    const args = ["world", "sample", "--count", "1", "--out", `${main}/below-a-file`];
    const failed = eve(...args);
    expect(failed.status).toBe(1);
    expect(failed.stderr).toMatch(
      /^eve: [^\n]*main\.ts[^\n]* lies where a folder is to be: not a directory; [^\n]*\n$/,
    );
    expect(eve(...args, "--debug").stderr).toMatch(/at .*world-samples\.ts/);
  });

  test("inspect reads a LoRA file, its alphas too, without the engine", () => {
    const path = fileURLToPath(
      new URL("../../test/golden/lora/kohya.safetensors", import.meta.url),
    );
    const { status, stdout } = eve("inspect", path);
    expect(status).toBe(0);
    expect(stdout).toMatch(/LoRA in the form of kohya\n[^]*alpha +1\.5 \(22 layers\)/);
  });

  test("doctor reports a machine without the engine instead of failing", () => {
    const { status, stdout } = eve("doctor", "--json");
    expect(status).toBe(0);
    const checks = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect(checks).toContainEqual(expect.objectContaining({ name: "engine", status: "warn" }));
    expect(checks).toContainEqual(expect.objectContaining({ name: "node", status: "ok" }));
  });
});
