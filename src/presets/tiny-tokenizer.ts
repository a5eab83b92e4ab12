import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { sampleSentences } from "../data/world/corpus.ts";
import { vocabulary } from "../data/world/language.ts";
import { loadTokenizer, type Tokenizer } from "../models/text-encoder/tokenizer.ts";
import { trainTokenizer, writeTokenizer } from "../models/text-encoder/train-tokenizer.ts";

const SENTENCES = 4096;
const MAX_POSITIONS = 36;

/** Sentences of the world's training split, in which every word of its grammar occurs. */
function* corpus(): Generator<string> {
  yield* vocabulary();
  for (let index = 0; index < SENTENCES; index++)
    yield* Object.values(sampleSentences("train", index));
}

/** The tokenizer of the world's language, made in `cache` where it is not there yet; and its folder. */
export function tinyTokenizer(cache: string): { tokenizer: Tokenizer; folder: string } {
  const digest = createHash("sha256").update(vocabulary().join(" ")).digest("hex").slice(0, 12);
  const folder = join(cache, `tokenizer-${digest}`);
  if (!existsSync(join(folder, "words.json"))) {
    writeTokenizer(folder, trainTokenizer(corpus(), { maxVocabulary: 2048 }), {
      maxPositions: MAX_POSITIONS,
    });
  }
  return { tokenizer: loadTokenizer(folder), folder };
}
