import {
  ACCESSORY_WORDS,
  BACKGROUND_WORDS,
  COLOUR_WORDS,
  KIND_WORDS,
  STYLE_NAMES,
  TEXTURE_WORDS,
} from "../../data/world/words.ts";

const known: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  objects: KIND_WORDS,
  colours: COLOUR_WORDS,
  textures: TEXTURE_WORDS,
  "things to wear": ACCESSORY_WORDS,
  backgrounds: BACKGROUND_WORDS,
  styles: STYLE_NAMES,
};

/** One sentence for words that the model never learned, which says what it knows instead. */
export function unknownWordsWarning(words: readonly string[]): string | undefined {
  if (words.length === 0) return undefined;
  const quoted = words.slice(0, 8).map((word) => `"${word.slice(0, 40)}"`);
  const more =
    words.length > quoted.length ? ` and ${words.length - quoted.length} more words` : "";
  const lists = Object.entries(known).map(([what, names]) => {
    const plainest = Object.values(names).map(([first]) => first);
    return `${what}: ${plainest.join(", ")}`;
  });
  return `the model never learned ${quoted.join(", ")}${more} and may ignore that; it knows ${lists.join("; ")}`;
}
