import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { ConfigError, DataError } from "../../engine/errors.ts";
import { loadTokenizer } from "./tokenizer.ts";
import { trainTokenizer, writeTokenizer } from "./train-tokenizer.ts";

// test/golden/text-encoder/tokenizer was made from this corpus, with 16 positions.
const corpus = [
  "make the cat blue",
  "turn the fox red",
  "a red cat in the snow",
  "the fox's hat, a blue hat",
  "put a hat on the cat",
];
const golden = new URL("../../../test/golden/text-encoder/", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "tokenizer-"));
writeTokenizer(folder, trainTokenizer(corpus), { maxPositions: 16 });
afterAll(() => rmSync(folder, { recursive: true }));

describe("trainTokenizer", () => {
  test("makes every word of its corpus one token", () => {
    const tokenizer = loadTokenizer(folder);
    const { words } = trainTokenizer(corpus);
    const padId = tokenizer.vocabularySize - 1;
    for (const word of words) {
      const tokens = tokenizer.encode(word).filter((id) => id !== padId);
      expect(tokens.length, word).toBe(2);
    }
    expect(words).toContain("snow");
    expect(words).not.toContain(",");
  });

  test("writes the same file whatever the order of the sentences", () => {
    const { merges } = trainTokenizer(corpus.toReversed());
    expect(merges).toEqual(trainTokenizer(corpus).merges);
    const written = readFileSync(join(folder, "tokenizer.json"), "utf8");
    expect(written).toBe(readFileSync(join(golden, "tokenizer/tokenizer.json"), "utf8"));
  });

  test("refuses a corpus whose words do not fit", () => {
    expect(() => trainTokenizer(corpus, { maxVocabulary: 520 })).toThrow(ConfigError);
  });
});

describe("loadTokenizer", () => {
  const Ids = z.array(z.object({ text: z.string(), ids: z.array(z.int()) }));
  const references = Ids.parse(JSON.parse(readFileSync(join(golden, "ids.json"), "utf8")));

  test.each(references)("reads '$text' as the Rust tokenizers do", ({ text, ids }) => {
    expect(loadTokenizer(folder).encode(text)).toEqual(ids);
  });

  test.each(references)(
    "reads '$text' the same from vocab.json and merges.txt",
    ({ text, ids }) => {
      const old = mkdtempSync(join(folder, "old-"));
      const { merges, vocabulary } = trainTokenizer(corpus);
      const lines = ["#version: 0.2", ...merges.map((pair) => pair.join(" ")), ""];
      writeFileSync(join(old, "vocab.json"), JSON.stringify(vocabulary));
      writeFileSync(join(old, "merges.txt"), lines.join("\n"));
      expect(loadTokenizer(old, { maxPositions: 16 }).encode(text)).toEqual(ids);
    },
  );

  test("puts start and end around the tokens and fills up with the end", () => {
    const tokenizer = loadTokenizer(folder);
    const endId = tokenizer.vocabularySize - 1;
    const ids = tokenizer.encode("the cat");
    expect(ids).toHaveLength(16);
    expect(ids[0]).toBe(endId - 1);
    expect(ids.slice(3)).toEqual(Array.from({ length: 13 }, () => endId));
    expect(loadTokenizer(folder, { padId: 0 }).encode("the cat").slice(3, 5)).toEqual([endId, 0]);
  });

  test("keeps the end of a text that is too long", () => {
    const tokenizer = loadTokenizer(folder, { maxPositions: 4 });
    const ids = tokenizer.encode("the red cat in the snow");
    expect(ids).toEqual([...tokenizer.encode("the red").slice(0, 3), tokenizer.vocabularySize - 1]);
  });

  test("splits words it has not seen into pieces", () => {
    const tokenizer = loadTokenizer(folder);
    const endId = tokenizer.vocabularySize - 1;
    const pieces = tokenizer.encode("hatcat").filter((id) => id !== endId);
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces.every((id) => id < endId)).toBe(true);
  });

  test("says which words the models have not seen", () => {
    const tokenizer = loadTokenizer(folder);
    expect(tokenizer.knows("Fox")).toBe(true);
    expect(tokenizer.knows("zebra")).toBe(false);
    expect(tokenizer.unknownWords("Turn the ZEBRA into 3 foxes, the zebra!")).toEqual([
      "zebra",
      "into",
      "foxes",
    ]);
  });

  test("names the folder that holds no tokenizer and the file that is not JSON", () => {
    const empty = mkdtempSync(join(folder, "empty-"));
    expect(() => loadTokenizer(empty)).toThrow(DataError);
    expect(() => loadTokenizer(empty)).toThrow(
      "expected tokenizer.json, or vocab.json and merges.txt",
    );
    writeFileSync(join(empty, "tokenizer.json"), "{");
    expect(() => loadTokenizer(empty)).toThrow(`${empty}/tokenizer.json: expected JSON`);
    writeFileSync(join(empty, "tokenizer.json"), "{}");
    expect(() => loadTokenizer(empty)).toThrow(/tokenizer\.json: .*model/s);
  });
});
