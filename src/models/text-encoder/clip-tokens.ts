/** Opens every text. */
export const START = "<|startoftext|>";
/** Closes every text, and fills the places behind it. */
export const END = "<|endoftext|>";
/** Marks the last symbol of a word. */
export const WORD_END = "</w>";

/** What CLIP takes for one word: contractions, runs of letters, single digits, runs of other signs. */
export const WORD_PATTERN = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

/** The words of a text by CLIP's rules: one Unicode form, lower case, no white space. */
export function clipWords(text: string): string[] {
  const cleaned = text.normalize("NFC").toLowerCase();
  return cleaned.match(new RegExp(WORD_PATTERN, "gu")) ?? [];
}

/**
 * The sign that stands for each byte, in the order of CLIP's vocabulary.
 *
 * Bytes that print in Latin-1 stand for themselves; they come first. The rest take the letters from U+0100 on.
 */
export function byteSymbols(): ReadonlyMap<number, string> {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const prints = (byte: number): boolean => {
    return (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
  };
  const printing = bytes.filter(prints).map((byte) => [byte, byte] as const);
  const others = bytes.filter((byte) => !prints(byte)).map((byte, i) => [byte, 0x100 + i] as const);
  return new Map(
    [...printing, ...others].map(([byte, code]) => [byte, String.fromCodePoint(code)]),
  );
}

/** A pair of symbols that become one. */
export type Merge = readonly [left: string, right: string];

/** CLIP's vocabulary for given merges: bytes, bytes that end a word, merged symbols, START, END. */
export function vocabularyOf(merges: readonly Merge[]): Readonly<Record<string, number>> {
  const symbols = [...byteSymbols().values()];
  const merged = merges.map(([left, right]) => left + right);
  const ending = symbols.map((symbol) => symbol + WORD_END);
  return Object.fromEntries(
    [...symbols, ...ending, ...merged, START, END].map((token, id) => [token, id]),
  );
}

/** One space between words, all of them small. */
const NORMALIZER = {
  type: "Sequence",
  normalizers: [
    { type: "NFC" },
    { type: "Replace", pattern: { Regex: "\\s+" }, content: " " },
    { type: "Lowercase" },
  ],
} as const;

/** Words, and the bytes that they are made of. */
const PRE_TOKENIZER = {
  type: "Sequence",
  pretokenizers: [
    { type: "Split", pattern: { Regex: WORD_PATTERN }, behavior: "Removed", invert: true },
    { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: false },
  ],
} as const;

/** The contents of a `tokenizer.json` that tokenises as CLIP does. */
export function clipTokenizerJson(
  vocabulary: Readonly<Record<string, number>>,
  merges: readonly Merge[],
  maxPositions: number,
): object {
  const special = [START, END].map((content) => {
    const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
    return { id: vocabulary[content], content, ...flags, special: true };
  });
  return {
    version: "1.0",
    truncation: {
      direction: "Right",
      max_length: maxPositions,
      strategy: "LongestFirst",
      stride: 0,
    },
    padding: {
      strategy: { Fixed: maxPositions },
      direction: "Right",
      pad_to_multiple_of: null,
      pad_id: vocabulary[END],
      pad_type_id: 0,
      pad_token: END,
    },
    added_tokens: special,
    normalizer: NORMALIZER,
    pre_tokenizer: PRE_TOKENIZER,
    post_processor: {
      type: "RobertaProcessing",
      sep: [END, vocabulary[END]],
      cls: [START, vocabulary[START]],
      trim_offsets: false,
      add_prefix_space: false,
    },
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: END,
      continuing_subword_prefix: "",
      end_of_word_suffix: WORD_END,
      fuse_unk: false,
      vocab: vocabulary,
      merges: merges.map(([left, right]) => `${left} ${right}`),
    },
  };
}
