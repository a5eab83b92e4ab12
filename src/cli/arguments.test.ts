import type { ArgsDef } from "citty";
import { describe, expect, test } from "vitest";
import { UserError } from "../engine/errors.ts";
import { checkArguments, numberOption, suggestion, withOptionalValues } from "./arguments.ts";

const args = {
  input: { type: "positional", description: "the video to edit" },
  instruction: { type: "positional" },
  out: { type: "string", alias: "o", valueHint: "file" },
  steps: { type: "string" },
  solver: { type: "enum", options: ["ddim", "dpm"] },
  json: { type: "boolean" },
} satisfies ArgsDef;

describe("checkArguments", () => {
  test.each([
    [["a.mp4", "make it blue"]],
    [["a.mp4", "make it blue", "-o", "b.mp4", "--json"]],
    [["--out=b.mp4", "--no-json", "a.mp4", "make it blue", "--solver", "dpm"]],
    [["a.mp4", "--steps", "-1", "make it blue"]],
    [["a.mp4", "--", "--make it blue"]],
  ])("accepts %j", (given) => {
    expect(() => checkArguments(given, args)).not.toThrow();
  });

  test.each([
    [["a.mp4", "x", "--step", "3"], "unknown option --step; did you mean --steps?"],
    [["a.mp4", "x", "--frobnicate"], "unknown option --frobnicate"],
    [["a.mp4", "x", "-q"], "unknown option -q"],
    [["-1.mp4", "x"], "unknown option -1.mp4; a file of that name is given as ./-1.mp4"],
    [["a.mp4", "x", "--out"], "--out needs a value: --out <file>"],
    [["a.mp4", "x", "-o", "--json"], "-o needs a value: -o <file>"],
    [["a.mp4", "x", "--steps="], "--steps needs a value: --steps <steps>"],
    [["a.mp4", "x", "--json=yes"], "--json takes no value, got --json=yes"],
    [["a.mp4"], "missing <instruction>"],
    [[], "missing <input>: the video to edit"],
  ])("refuses %j with one sentence", (given, sentence) => {
    expect(() => checkArguments(given, args)).toThrow(new UserError(sentence));
  });

  test("says that unquoted text is the usual reason for surplus arguments", () => {
    expect(() => checkArguments(["a.mp4", "make", "it", "blue"], args)).toThrow(
      /unexpected argument "it"; text with spaces goes in quotes/,
    );
  });

  test("lets a last positional argument take all that follow where its hint says so", () => {
    const many = {
      paths: { type: "positional", valueHint: "path…", description: "videos" },
    } satisfies ArgsDef;
    expect(() => checkArguments(["a", "b", "c"], many)).not.toThrow();
    expect(() => checkArguments([], many)).toThrow("missing <paths>: videos");
  });

  test("lists the values of an enumeration", () => {
    expect(() => checkArguments(["a", "b", "--solver", "dmp"], args)).toThrow(
      '--solver: expected one of ddim, dpm, got "dmp"; did you mean dpm?',
    );
  });

  test("asks for a required option", () => {
    const required = {
      out: { type: "string", required: true, valueHint: "dir" },
    } satisfies ArgsDef;
    expect(() => checkArguments([], required)).toThrow("--out is missing: --out <dir>");
    expect(() => checkArguments(["--out=x"], required)).not.toThrow();
  });
});

describe("numberOption", () => {
  test("reads what is in range", () => {
    expect(numberOption("--steps", "12", { min: 1, max: 100, integer: true })).toBe(12);
    expect(numberOption("--guidance", "-1.5", {})).toBe(-1.5);
  });

  test.each(["", "abc", "NaN", "0", "101", "1.5", "Infinity"])("refuses %j", (text) => {
    expect(() => numberOption("--steps", text, { min: 1, max: 100, integer: true })).toThrow(
      `--steps: expected a whole number, at least 1, at most 100, got "${text}"`,
    );
  });
});

test("suggests the name that a slip of the keys makes, and nothing for a far-off one", () => {
  expect(suggestion("trian", ["edit", "train", "inspect"])).toBe("; did you mean train?");
  expect(suggestion("insect", ["edit", "train", "inspect"])).toBe("; did you mean inspect?");
  expect(suggestion("bake", ["edit", "train", "inspect"])).toBe("");
});

describe("options that may stand without a value", () => {
  const edit = {
    ...args,
    preview: { type: "string", valueHint: "[time]" },
    more: { type: "positional", valueHint: "…" },
  } satisfies ArgsDef;

  test.each([
    [["--preview"], ["--preview=default"]],
    [
      ["--preview", "2024.mp4", "x"],
      ["--preview=default", "2024.mp4", "x"],
    ],
    [
      ["--preview", "2.5s", "a.mp4"],
      ["--preview", "2.5s", "a.mp4"],
    ],
    [
      ["--preview", "48", "a.mp4"],
      ["--preview", "48", "a.mp4"],
    ],
    [["--preview=2s"], ["--preview=2s"]],
    [
      ["--out", "x", "--", "--preview"],
      ["--out", "x", "--", "--preview"],
    ],
  ])("%j is read as %j", (given, read) => {
    expect(withOptionalValues(given, edit)).toEqual(read);
  });

  test("and a last argument that may be repeated takes all that follow", () => {
    expect(() => checkArguments(["a.mp4", "x", "y", "z", "w"], edit)).not.toThrow();
  });
});
