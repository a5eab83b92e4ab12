import type { Place } from "./edit.ts";
import type { WorldRng } from "./rng.ts";
import type {
  Accessory,
  Background,
  Colour,
  Kind,
  MotionType,
  Size,
  Style,
  Subject,
  Texture,
  Thing,
} from "./scene.ts";

// What each thing of the world is called. The first wording is the plainest and is drawn most often.

type Wordings<K extends string> = Readonly<Record<K, readonly [string, ...string[]]>>;

/** What the kinds of things are called. */
export const KIND_WORDS: Wordings<Kind> = {
  ball: ["ball"],
  box: ["box", "cube"],
  star: ["star"],
  heart: ["heart"],
  fish: ["fish"],
  cat: ["cat", "kitten"],
  dog: ["dog", "puppy"],
  fox: ["fox"],
  bird: ["bird"],
  car: ["car"],
  boat: ["boat", "sailboat", "ship"],
  house: ["house"],
  tree: ["tree"],
  rocket: ["rocket"],
  mushroom: ["mushroom"],
  robot: ["robot"],
};

/** What the held-out subjects are called: a word that the world's own vocabulary lacks, before the kind's if it is one of a kind. */
export const SUBJECT_WORDS: Wordings<Subject> = { "toy-robot": ["toy robot"], owl: ["owl"] };

/** What everything that has a shape is called. */
export const THING_WORDS: Wordings<Thing> = { ...KIND_WORDS, ...SUBJECT_WORDS };

/** What the colours are called. */
export const COLOUR_WORDS: Wordings<Colour> = {
  red: ["red"],
  orange: ["orange"],
  yellow: ["yellow"],
  green: ["green"],
  cyan: ["cyan", "turquoise"],
  blue: ["blue"],
  purple: ["purple", "violet"],
  pink: ["pink"],
  brown: ["brown"],
  black: ["black"],
  gray: ["gray", "grey"],
  white: ["white"],
};

/** What a thing with a pattern is called, as an adjective. */
export const TEXTURE_WORDS: Wordings<Texture> = {
  plain: ["plain"],
  striped: ["striped"],
  checkered: ["checkered", "checked"],
  dotted: ["dotted", "spotted"],
  wooden: ["wooden"],
  brick: ["brick"],
  wavy: ["wavy"],
  scaly: ["scaly"],
  leafy: ["leafy"],
};

/** Textures as things that can cover something: "with stripes". */
export const PATTERN_WORDS: Wordings<Exclude<Texture, "plain">> = {
  striped: ["stripes"],
  checkered: ["checks", "squares"],
  dotted: ["dots", "spots"],
  wooden: ["wood"],
  brick: ["bricks"],
  wavy: ["waves"],
  scaly: ["scales"],
  leafy: ["leaves"],
};

/** What sizes are called; the middle one has no word. */
export const SIZE_WORDS: Wordings<Exclude<Size, "medium">> = {
  small: ["small", "little", "tiny"],
  large: ["big", "large"],
};

/** What a thing that moves is said to do; one that stands still, nothing. */
export const MOTION_WORDS: Wordings<Exclude<MotionType, "still">> = {
  linear: ["moving", "sliding"],
  bouncing: ["bouncing", "jumping"],
  orbiting: ["circling"],
  rotating: ["spinning", "rotating"],
  growing: ["growing"],
  swaying: ["swaying", "rocking"],
};

/** What is worn or held is called. */
export const ACCESSORY_WORDS: Wordings<Accessory> = {
  hat: ["hat", "top hat"],
  crown: ["crown"],
  scarf: ["scarf"],
  glasses: ["glasses", "sunglasses"],
  umbrella: ["umbrella"],
  "bow-tie": ["bow tie"],
  flag: ["flag"],
};

/** Backgrounds as nouns, articles included. */
export const BACKGROUND_WORDS: Wordings<Background> = {
  meadow: ["a meadow", "a grassy field"],
  desert: ["a desert"],
  "night-sky": ["a night sky", "a starry sky", "a starry night"],
  sea: ["the sea", "the ocean"],
  forest: ["a forest", "the woods"],
  snow: ["snowy hills", "a snowy landscape", "snowy mountains"],
  city: ["a city", "a city street"],
  sunset: ["a sunset"],
  studio: ["a plain studio", "a studio"],
  autumn: ["autumn leaves", "an autumn forest", "an autumn park"],
};

/** Backgrounds as places something is in. */
export const SETTING_WORDS: Wordings<Background> = {
  meadow: ["in a meadow", "in a grassy field", "on the grass"],
  desert: ["in a desert", "in the desert"],
  "night-sky": ["under a night sky", "at night", "in front of a starry sky"],
  sea: ["by the sea", "at sea", "in front of the ocean"],
  forest: ["in a forest", "in the woods"],
  snow: ["on snowy hills", "in the snow", "in a snowy landscape"],
  city: ["in a city", "in the city", "on a city street"],
  sunset: ["at sunset", "in front of a sunset"],
  studio: ["in a plain studio", "in a studio"],
  autumn: ["among autumn leaves", "in an autumn forest", "in an autumn park"],
};

type Drawn = Exclude<Style, "plain">;

/** Styles by name, as before the word "style". */
export const STYLE_NAMES: Wordings<Drawn> = {
  "black-and-white": ["black and white"],
  sepia: ["sepia"],
  blueprint: ["blueprint"],
  "pixel-art": ["pixel art"],
  poster: ["poster"],
  sketch: ["pencil sketch", "pencil drawing"],
  neon: ["neon"],
  watercolor: ["watercolor"],
};

/** Styles as things a picture can be. */
export const STYLE_NOUNS: Wordings<Drawn> = {
  "black-and-white": ["a black and white film", "a black and white photo"],
  sepia: ["a sepia photo", "a sepia film"],
  blueprint: ["a blueprint"],
  "pixel-art": ["pixel art"],
  poster: ["a poster"],
  sketch: ["a pencil sketch", "a pencil drawing", "a sketch"],
  neon: ["a neon drawing", "neon lights"],
  watercolor: ["a watercolor painting", "a watercolor"],
};

/** Where something is put. */
export const PLACE_WORDS: Wordings<Place> = {
  left: ["on the left", "on the left side"],
  right: ["on the right", "on the right side"],
  top: ["at the top"],
  bottom: ["at the bottom"],
  "top-left": ["in the top left corner", "at the top left"],
  "top-right": ["in the top right corner", "at the top right"],
  "bottom-left": ["in the bottom left corner", "at the bottom left"],
  "bottom-right": ["in the bottom right corner", "at the bottom right"],
};

/** The noun with "a" or "an" before it, or with nothing before a plural. */
export function withArticle(noun: string): string {
  if (/(glasses)$/.test(noun)) return noun;
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}

/** The words of a sentence in lower case, without punctuation. */
export function wordsOf(sentence: string): string[] {
  return sentence.toLowerCase().match(/[a-z]+/g) ?? [];
}

/** One of a thing's wordings, the plainest most of the time. */
export function wording(rng: WorldRng, wordings: readonly [string, ...string[]]): string {
  return rng.chance(0.6) ? wordings[0] : rng.pick(wordings);
}
