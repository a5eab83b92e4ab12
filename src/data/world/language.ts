import type { WorldRng } from "./rng.ts";
import { SUBJECTS, type Description, type ObjectLook, type Thing } from "./scene.ts";
import type { Split } from "./splits.ts";
import {
  CAPTIONS,
  fill,
  GLUE,
  INSTRUCTIONS,
  JOINS,
  NOTHING,
  PAIRS,
  POLITENESS,
  STYLED_CAPTIONS,
  type Wording,
} from "./templates.ts";
import * as words from "./words.ts";

export { inferTask } from "./infer-task.ts";

/** The most words a sentence has. */
export const LONGEST_SENTENCE = 30;
/** How often a test sentence has a wording that training never showed. */
const UNSEEN = 0.5;
/** How often a caption tells what it need not. */
const TELL_SIZE = 0.7;
const TELL_MOTION = 0.3;

/** One of a template's wordings, as the split allows. */
export function pickWording({ train, test }: Wording, rng: WorldRng, split: Split): string {
  return rng.pick(split === "test" && test.length > 0 && rng.chance(UNSEEN) ? test : train);
}

/** A sentence that describes a scene, one of many wordings; at most `LONGEST_SENTENCE` words. */
export function caption(scene: Description, rng: WorldRng, split: Split = "train"): string {
  for (;;) {
    const sentence = drawCaption(scene, rng, split);
    if (words.wordsOf(sentence).length <= LONGEST_SENTENCE) return sentence;
  }
}

function drawCaption(
  { objects, background, style }: Description,
  rng: WorldRng,
  split: Split,
): string {
  const phrases = objects.map((look) => objectPhrase(look, rng, objects.length));
  const slots = {
    objects: phrases.length === 0 ? rng.pick(NOTHING) : listed(phrases),
    background: words.wording(rng, words.BACKGROUND_WORDS[background]),
    setting: words.wording(rng, words.SETTING_WORDS[background]),
  };
  const plain = fill("{objects} {setting}", slots);
  const sentence = fill(pickWording(CAPTIONS, rng, split), slots);
  if (style === "plain") return sentence;
  return fill(pickWording(STYLED_CAPTIONS, rng, split), {
    caption: sentence,
    plain,
    name: words.wording(rng, words.STYLE_NAMES[style]),
    noun: words.wording(rng, words.STYLE_NOUNS[style]),
  });
}

function listed(phrases: readonly string[]): string {
  if (phrases.length < 2) return phrases.join("");
  return `${phrases.slice(0, -1).join(", ")} and ${phrases.at(-1)}`;
}

/** An object with all that is to be seen of it; its size and motion only now and then. */
function objectPhrase(look: ObjectLook, rng: WorldRng, company: number): string {
  const { kind, colour, texture, size, accessories, motion } = look;
  if (isSubject(kind)) return words.withArticle(words.wording(rng, words.SUBJECT_WORDS[kind]));
  const adjectives = [words.wording(rng, words.COLOUR_WORDS[colour])];
  let suffix = "";
  if (texture !== "plain") {
    if (rng.chance(0.75)) adjectives.push(words.wording(rng, words.TEXTURE_WORDS[texture]));
    else suffix += ` with ${words.wording(rng, words.PATTERN_WORDS[texture])}`;
  }
  if (rng.chance(0.3)) adjectives.reverse();
  if (size !== "medium" && company < 3 && rng.chance(TELL_SIZE)) {
    adjectives.unshift(words.wording(rng, words.SIZE_WORDS[size]));
  }
  if (motion.type !== "still" && company < 3 && rng.chance(TELL_MOTION)) {
    adjectives.unshift(words.wording(rng, words.MOTION_WORDS[motion.type]));
  }
  if (accessories.length > 0) suffix += accessoriesPhrase(accessories, rng);
  const noun = words.wording(rng, words.KIND_WORDS[kind]);
  return words.withArticle([...adjectives, noun].join(" ")) + suffix;
}

function accessoriesPhrase(accessories: ObjectLook["accessories"], rng: WorldRng): string {
  const nouns = accessories.map((name) =>
    words.withArticle(words.wording(rng, words.ACCESSORY_WORDS[name])),
  );
  const isHeld = accessories.every((name) => name === "umbrella" || name === "flag");
  return ` ${rng.pick(["with", isHeld ? "holding" : "wearing"])} ${nouns.join(" and ")}`;
}

/** An object that an instruction asks for: kind and colour, its texture being plain. */
export function newObjectPhrase({ kind, colour }: ObjectLook, rng: WorldRng): string {
  if (isSubject(kind)) return words.withArticle(words.wording(rng, words.SUBJECT_WORDS[kind]));
  const paint = words.wording(rng, words.COLOUR_WORDS[colour]);
  return words.withArticle(`${paint} ${words.wording(rng, words.KIND_WORDS[kind])}`);
}

/** Whether a thing is a held-out subject: its name says all of its looks. */
function isSubject(kind: Thing): kind is (typeof SUBJECTS)[number] {
  return SUBJECTS.some((name) => name === kind);
}

/** Every word that captions and instructions can contain, in alphabetical order. */
export function vocabulary(): readonly string[] {
  const tables = [
    words.KIND_WORDS,
    words.COLOUR_WORDS,
    words.TEXTURE_WORDS,
    words.PATTERN_WORDS,
    words.SIZE_WORDS,
    words.MOTION_WORDS,
    words.ACCESSORY_WORDS,
    words.BACKGROUND_WORDS,
    words.SETTING_WORDS,
    words.STYLE_NAMES,
    words.STYLE_NOUNS,
    words.PLACE_WORDS,
  ];
  const wordings: readonly Wording[] = [
    ...Object.values(INSTRUCTIONS),
    JOINS,
    CAPTIONS,
    STYLED_CAPTIONS,
  ];
  const templates = [
    ...wordings.flatMap(({ train, test }) => [...train, ...test]),
    ...Object.values(PAIRS).flat(),
    ...POLITENESS,
  ].map((template) => template.replaceAll(/\{\w+\}/g, " "));
  const named = tables.flatMap((table) => Object.values<readonly string[]>(table).flat());
  const all = [...named, ...templates, ...NOTHING, GLUE].flatMap(words.wordsOf);
  return [...new Set(all)].toSorted();
}
