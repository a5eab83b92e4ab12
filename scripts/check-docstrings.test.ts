import { expect, test } from "vitest";
import { undocumentedExports } from "./check-docstrings.ts";

const namesIn = (...lines: string[]): string[] =>
  undocumentedExports(lines.join("\n")).map(({ name }) => name);

test.each([
  "export function noise() {}",
  "export async function* noise() {}",
  "export abstract class noise {}",
  "export const noise = 1;",
  "export interface noise {}",
  "export type noise = number;",
])("%s needs a comment that says what it is", (declaration) => {
  expect(namesIn(declaration)).toEqual(["noise"]);
  expect(namesIn("/** What is added. */", declaration)).toEqual([]);
  expect(namesIn("/**", " * What is added.", " */", declaration)).toEqual([]);
});

test("a comment counts where it stands right above, and begins with two stars", () => {
  expect(namesIn("/** What is added. */", "", "export const noise = 1;")).toEqual(["noise"]);
  expect(namesIn("// What is added.", "export const noise = 1;")).toEqual(["noise"]);
  expect(namesIn("/* What is added. */", "export const noise = 1;")).toEqual(["noise"]);
  expect(namesIn("/*", " * What is added.", " */", "export const noise = 1;")).toEqual(["noise"]);
});

test("tells the line, counted from 1", () => {
  expect(undocumentedExports("const own = 1;\n\nexport const noise = 1;")).toEqual([
    { line: 3, name: "noise" },
  ]);
});

test("one comment serves a schema and its type, and all overloads of a function", () => {
  const type = "export type Noise = z.infer<typeof Noise>;";
  expect(namesIn("/** How noisy. */", "export const Noise = z.number();", type)).toEqual([]);
  expect(namesIn("/** How noisy. */", "const Noise = z.number();", type)).toEqual([]);
  expect(namesIn("export const Noise = z.number();", type)).toEqual(["Noise", "Noise"]);
  const overloads = [
    "export function of(x: string): void;",
    "export function of(x: number): void;",
  ];
  expect(namesIn("/** Reads x. */", ...overloads)).toEqual([]);
});

test("what is not exported, or exported from another file, or a verb, needs none", () => {
  expect(namesIn("const own = 1;", "  export const inner = 1;")).toEqual([]);
  expect(namesIn('export { noise } from "./noise.ts";')).toEqual([]);
  expect(namesIn("export default defineCommand({ meta });")).toEqual([]);
});
