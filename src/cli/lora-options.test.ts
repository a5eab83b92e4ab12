import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { UserError } from "../engine/errors.ts";
import { lorasAgain, lorasFrom } from "./lora-options.ts";

const root = temporaryFolder();
const file = (name: string): string => join(root, name);
for (const name of ["look", "look=0.7", "a=b.safetensors"]) writeFileSync(file(name), "");
mkdirSync(file("runs=2"));

const given = (...values: string[]) => lorasFrom(values.flatMap((value) => ["--lora", value]));

describe("--lora", () => {
  test("is read as often as it is given, with a strength or without", () => {
    const args = [
      "clip.mp4",
      "make it snow",
      "--lora",
      "x=0.7",
      "--lora=y",
      "--lora-strength",
      "1",
    ];
    expect(lorasFrom([...args, "--", "--lora"])).toEqual([
      { path: "x", strength: 0.7 },
      { path: "y" },
    ]);
    expect(lorasFrom(["clip.mp4", "make it snow"])).toEqual([]);
  });

  test.each([
    ["what is there under the whole text", "look=0.7", { path: "look=0.7" }],
    ["a path with a strength behind it", "look=0.7=0.5", { path: "look=0.7", strength: 0.5 }],
    ["a strength at a path with =", "a=b.safetensors=2", { path: "a=b.safetensors", strength: 2 }],
    ["a path with = that no number ends", "a=b.safetensors", { path: "a=b.safetensors" }],
    ["the same of what is not there", "c=d.safetensors", { path: "c=d.safetensors" }],
    ["a folder's = before a name", "runs=2/last", { path: "runs=2/last" }],
    ["a strength of what is not there", "c.safetensors=0", { path: "c.safetensors", strength: 0 }],
  ])("is %s", (_, text, { path, ...strength }) => {
    expect(given(file(text))).toEqual([{ path: file(path), ...strength }]);
  });

  test.each([
    ["look=3", /^--lora .*look: expected a number, at least 0, at most 2, got "3"$/],
    ["look=-1", /^--lora .*look: expected a number, .*got "-1"$/],
    ["look=strong", /^--lora .*look: expected a number, .*got "strong"$/],
    ["look=", /^--lora .*look: expected a number, .*got ""$/],
    ["nothing=Infinity", /^--lora .*nothing: expected a number, .*got "Infinity"$/],
  ])("%s is refused in a sentence", (text, message) => {
    expect(() => given(file(text))).toThrow(UserError);
    expect(() => given(file(text))).toThrow(message);
  });
});

describe("the LoRAs of an edit that is done again", () => {
  const before = [{ path: "look", strength: 0.7 }, { path: "run" }];

  test("are the receipt's where none is given, at their strengths or at the one given", () => {
    expect(lorasAgain([], before, undefined)).toEqual(before);
    expect(lorasAgain([], before, 1.2)).toEqual([{ path: "look" }, { path: "run" }]);
  });

  test("are those given where there are some", () => {
    expect(lorasAgain([{ path: "other" }], before, undefined)).toEqual([{ path: "other" }]);
  });
});
