import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "../../engine/errors.ts";
import {
  WORD_END,
  byteSymbols,
  clipTokenizerJson,
  clipWords,
  vocabularyOf,
  type Merge,
} from "./clip-tokens.ts";

/** What `trainTokenizer` learned. */
export interface TrainedTokenizer {
  /** In the order in which they are applied. */
  readonly merges: readonly Merge[];
  readonly vocabulary: Readonly<Record<string, number>>;
  /** Every word of letters that the corpus has, sorted. */
  readonly words: readonly string[];
}

/** Limits of a tokenizer. */
export interface TokenizerLimits {
  /** The most entries that its vocabulary may have, the 512 byte symbols and two marks included; default 2048. */
  readonly maxVocabulary?: number;
}

interface Word {
  readonly count: number;
  symbols: readonly string[];
}

/**
 * Byte-pair encoding after CLIP's manner (Sennrich et al., 2016): merges the most frequent pair of symbols
 * until every word of the corpus is one token.
 *
 * Depends on the words and their counts alone; pairs of equal frequency go in alphabetical order. Unknown words
 * fall into pieces, in the end into bytes, so that any text can be encoded.
 */
export function trainTokenizer(
  corpus: Iterable<string>,
  { maxVocabulary = 2048 }: TokenizerLimits = {},
): TrainedTokenizer {
  const counts = countWords(corpus);
  const words = [...counts].map(([word, count]): Word => ({ count, symbols: symbolsOf(word) }));
  const merges: Merge[] = [];
  for (let pair = mostFrequentPair(words); pair; pair = mostFrequentPair(words)) {
    merges.push(pair);
    for (const word of words) word.symbols = merged(word.symbols, pair);
  }
  const vocabulary = vocabularyOf(merges);
  const size = Object.keys(vocabulary).length;
  if (size > maxVocabulary) {
    throw new ConfigError(
      `expected a corpus whose ${counts.size} words fit ${maxVocabulary} tokens, got ${size}: raise maxVocabulary`,
    );
  }
  const spelled = [...counts.keys()].filter((word) => /^\p{L}+$/u.test(word));
  return { merges, vocabulary, words: spelled.toSorted() };
}

/** Writes `tokenizer.json` and, to warn users of words that mean nothing to a model, `words.json`. */
export function writeTokenizer(
  folder: string,
  { merges, vocabulary, words }: TrainedTokenizer,
  { maxPositions = 77 }: { readonly maxPositions?: number } = {},
): void {
  mkdirSync(folder, { recursive: true });
  const json = clipTokenizerJson(vocabulary, merges, maxPositions);
  writeFileSync(join(folder, "tokenizer.json"), `${JSON.stringify(json, null, 1)}\n`);
  writeFileSync(join(folder, "words.json"), `${JSON.stringify(words)}\n`);
}

function countWords(corpus: Iterable<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const sentence of corpus) {
    for (const word of clipWords(sentence)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

function symbolsOf(word: string): string[] {
  const table = byteSymbols();
  const bytes = new TextEncoder().encode(word);
  const ending = (i: number): string => (i === bytes.length - 1 ? WORD_END : "");
  return Array.from(bytes, (byte, i) => `${table.get(byte) ?? ""}${ending(i)}`);
}

function mostFrequentPair(words: readonly Word[]): Merge | undefined {
  const frequencies = new Map<string, number>();
  for (const { count, symbols } of words) {
    for (const [i, right] of symbols.entries()) {
      if (i === 0) continue;
      const pair = `${symbols[i - 1] ?? ""} ${right}`;
      frequencies.set(pair, (frequencies.get(pair) ?? 0) + count);
    }
  }
  let best: string | undefined;
  for (const [pair, frequency] of frequencies) {
    const record = best === undefined ? 0 : (frequencies.get(best) ?? 0);
    if (frequency > record || (frequency === record && best !== undefined && pair < best))
      best = pair;
  }
  const [left, right] = best?.split(" ") ?? [];
  return left !== undefined && right !== undefined ? [left, right] : undefined;
}

function merged(symbols: readonly string[], [left, right]: Merge): readonly string[] {
  const result: string[] = [];
  for (const symbol of symbols) {
    if (symbol === right && result.at(-1) === left) result[result.length - 1] = left + right;
    else result.push(symbol);
  }
  return result;
}
