import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer as BytePairs } from "@huggingface/tokenizers";
import { z } from "zod";
import { DataError } from "../../engine/errors.ts";
import { readJson } from "../public-weights/json.ts";
import { END, START, clipTokenizerJson, clipWords, type Merge } from "./clip-tokens.ts";

/** Text to the numbers that a text encoder reads. */
export interface Tokenizer {
  /** Exactly `maxPositions` ids: start, the text's tokens, end, padding; a long text loses its tail. */
  encode(text: string): number[];
  /** Whether the models trained with this tokenizer have seen `word`; always, where that was not recorded. */
  knows(word: string): boolean;
  /** The words of `text` that the models have not seen, each once. */
  unknownWords(text: string): string[];
  readonly vocabularySize: number;
  readonly maxPositions: number;
}

/** How `loadTokenizer` departs from what the folder says. */
export interface TokenizerOptions {
  /** Default: `truncation.max_length` of `tokenizer.json`, else 77. */
  readonly maxPositions?: number;
  /** The id behind the end; default: `padding.pad_id` of `tokenizer.json`, else the end's. CLIP's own code pads with 0. */
  readonly padId?: number;
}

const DEFAULT_POSITIONS = 77;
const MERGES_HEADER = /^#version/;

const Vocabulary = z.record(z.string(), z.int().nonnegative());
const TokenizerFile = z.looseObject({
  truncation: z.looseObject({ max_length: z.int().min(3) }).nullish(),
  padding: z.looseObject({ pad_id: z.int().nonnegative() }).nullish(),
  model: z.looseObject({ vocab: Vocabulary }),
});
type TokenizerFile = z.infer<typeof TokenizerFile>;

/**
 * The tokenizer in a model's folder: `tokenizer.json`, or CLIP's older `vocab.json` and `merges.txt`.
 *
 * `words.json`, where it is, lists the words that the model was trained on.
 */
export function loadTokenizer(folder: string, options: TokenizerOptions = {}): Tokenizer {
  const file = readTokenizerFile(folder);
  const pairs = new BytePairs(file, {});
  const startId = pairs.token_to_id(START);
  const endId = pairs.token_to_id(END);
  if (startId === undefined || endId === undefined) {
    throw new DataError(
      `${folder}: expected a tokenizer with ${START} and ${END}, got one without`,
    );
  }
  const maxPositions = options.maxPositions ?? file.truncation?.max_length ?? DEFAULT_POSITIONS;
  const padId = options.padId ?? file.padding?.pad_id ?? endId;
  const words = readWords(folder);
  const knows = (word: string): boolean => words === undefined || words.has(word.toLowerCase());
  return {
    encode(text) {
      const { ids } = pairs.encode(text, { add_special_tokens: false });
      const sequence = [startId, ...ids.slice(0, maxPositions - 2), endId];
      const padding = Array.from({ length: maxPositions - sequence.length }, () => padId);
      return [...sequence, ...padding];
    },
    knows,
    unknownWords(text) {
      const spelled = clipWords(text).filter((word) => /^\p{L}+$/u.test(word));
      return [...new Set(spelled)].filter((word) => !knows(word));
    },
    vocabularySize: Math.max(...Object.values(file.model.vocab), startId, endId) + 1,
    maxPositions,
  };
}

/** Refuses a tokenizer that gives ids which a network has no vectors for. */
export function requireVocabulary(tokenizer: Tokenizer, size: number, folder: string): void {
  if (tokenizer.vocabularySize > size) {
    throw new DataError(
      `${folder}: expected a tokenizer of at most ${size} tokens for this network, got ${tokenizer.vocabularySize}`,
    );
  }
}

function readTokenizerFile(folder: string): TokenizerFile {
  const path = join(folder, "tokenizer.json");
  if (existsSync(path)) return readJson(path, TokenizerFile);
  const [vocabulary, merges] = [join(folder, "vocab.json"), join(folder, "merges.txt")];
  if (!existsSync(vocabulary) || !existsSync(merges)) {
    throw new DataError(
      `${folder}: expected tokenizer.json, or vocab.json and merges.txt, got neither`,
    );
  }
  const json = clipTokenizerJson(
    readJson(vocabulary, Vocabulary),
    readMerges(merges),
    DEFAULT_POSITIONS,
  );
  return TokenizerFile.parse(json);
}

function readMerges(path: string): Merge[] {
  const lines = readFileSync(path, "utf8").split("\n");
  const pairs = lines.filter((line) => line.trim() !== "" && !MERGES_HEADER.test(line));
  return pairs.map((line) => {
    const [left, right, ...rest] = line.trim().split(" ");
    if (left === undefined || right === undefined || rest.length > 0) {
      throw new DataError(`${path}: expected two symbols a line, got "${line}"`);
    }
    return [left, right];
  });
}

function readWords(folder: string): ReadonlySet<string> | undefined {
  const path = join(folder, "words.json");
  return existsSync(path) ? new Set(readJson(path, z.array(z.string()))) : undefined;
}
