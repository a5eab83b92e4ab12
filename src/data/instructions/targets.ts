import type { WorldRng } from "../world/rng.ts";
import {
  ACCESSORY_WORDS,
  BACKGROUND_WORDS,
  COLOUR_WORDS,
  KIND_WORDS,
  PATTERN_WORDS,
  PLACE_WORDS,
  SETTING_WORDS,
  STYLE_NAMES,
  STYLE_NOUNS,
  TEXTURE_WORDS,
  withArticle,
  wording,
} from "../world/words.ts";

type Wordings = readonly [string, ...string[]];

/** A thing of one of the world's tables with a name that the caption does not have yet. */
function unsaid<K extends string>(
  rng: WorldRng,
  table: Readonly<Record<K, Wordings>>,
  caption: readonly string[],
): K {
  const said = new Set(caption.map((word) => word.toLowerCase().replaceAll(/\W/g, "")));
  const isSaid = (name: K): boolean =>
    table[name].some((words) => words.split(" ").some((word) => word.length > 3 && said.has(word)));
  const names = keysOf(table);
  const free = names.filter((name) => !isSaid(name) && !said.has(name));
  return rng.pick(free.length > 0 ? free : names);
}

function keysOf<K extends string>(table: Readonly<Record<K, unknown>>): K[] {
  const names: K[] = [];
  for (const name in table) names.push(name);
  return names;
}

const PEOPLE =
  /\b(man|men|woman|women|boy|girl|child|children|person|people|baby|babies|kid|lady|guy|couple|chef|dancer|player)s?$/i;
const WEARING_ANIMALS =
  /\b(horse|cow|bear|rabbit|cat|kitten|dog|puppy|fox|bird|robot|monkey|lion|tiger|panda|elephant|duck|penguin|owl)s?$/i;

/** What edits turn things into: the words of the generated world, which the smallest model knows too. */
export const TARGETS = {
  /** A style by name and as a thing; another one than the caption tells. */
  style(rng: WorldRng, caption: readonly string[]): { name: string; noun: string } {
    const style = unsaid(rng, STYLE_NAMES, caption);
    return { name: wording(rng, STYLE_NAMES[style]), noun: wording(rng, STYLE_NOUNS[style]) };
  },
  /** A background as a noun and as a place; another one than the caption tells. */
  background(rng: WorldRng, caption: readonly string[]): { background: string; setting: string } {
    const background = unsaid(rng, BACKGROUND_WORDS, caption);
    return {
      background: wording(rng, BACKGROUND_WORDS[background]),
      setting: wording(rng, SETTING_WORDS[background]),
    };
  },
  /** "a rocket". */
  kind(rng: WorldRng, caption: readonly string[]): string {
    return withArticle(wording(rng, KIND_WORDS[unsaid(rng, KIND_WORDS, caption)]));
  },
  /** A colour, or a texture with its pattern; people get no colour, and patterns that clothes have. */
  look(
    rng: WorldRng,
    { adjectives, noun }: { readonly adjectives: readonly string[]; readonly noun: string },
  ): { look: string; aLook: string; pattern: string | undefined } {
    const isPerson = PEOPLE.test(noun);
    if (!isPerson && rng.chance(0.5)) {
      const colour = wording(rng, COLOUR_WORDS[unsaid(rng, COLOUR_WORDS, adjectives)]);
      return { look: colour, aLook: withArticle(colour), pattern: undefined };
    }
    const { plain: _, ...surfaces } = TEXTURE_WORDS;
    const { striped, checkered, dotted } = surfaces;
    const texture = isPerson
      ? unsaid(rng, { striped, checkered, dotted }, adjectives)
      : unsaid(rng, surfaces, adjectives);
    const look = wording(rng, TEXTURE_WORDS[texture]);
    return { look, aLook: withArticle(look), pattern: wording(rng, PATTERN_WORDS[texture]) };
  },
  /** "a hat", and whether it is held. */
  accessory(rng: WorldRng, caption: readonly string[]): { worn: string; isHeld: boolean } {
    const accessory = unsaid(rng, ACCESSORY_WORDS, caption);
    return {
      worn: withArticle(wording(rng, ACCESSORY_WORDS[accessory])),
      isHeld: accessory === "umbrella" || accessory === "flag",
    };
  },
  /** "a blue star", and where. */
  addition(rng: WorldRng, caption: readonly string[]): { added: string; place: string } {
    const colour = wording(rng, COLOUR_WORDS[rng.pick(keysOf(COLOUR_WORDS))]);
    const kind = wording(rng, KIND_WORDS[unsaid(rng, KIND_WORDS, caption)]);
    const place = wording(rng, PLACE_WORDS[rng.pick(keysOf(PLACE_WORDS))]);
    return { added: withArticle(`${colour} ${kind}`), place };
  },
  /** Whether a hat on such a thing is no nonsense. */
  canWear: (noun: string): boolean => PEOPLE.test(noun) || WEARING_ANIMALS.test(noun),
} as const;
