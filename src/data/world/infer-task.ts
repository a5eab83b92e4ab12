import type { Task } from "./tasks.ts";
import {
  ACCESSORY_WORDS,
  COLOUR_WORDS,
  KIND_WORDS,
  PATTERN_WORDS,
  TEXTURE_WORDS,
  wordsOf,
} from "./words.ts";

type Clue = (words: readonly string[]) => boolean;

const anyOf =
  (text: string): Clue =>
  (words) => {
    const wanted = new Set(text.split(" "));
    return words.some((word) => wanted.has(word));
  };

const tableWords = (...tables: readonly Readonly<Record<string, readonly string[]>>[]) =>
  tables
    .flatMap((table) => Object.values(table).flat())
    .flatMap(wordsOf)
    .join(" ");

const isVerb = anyOf(
  "add apply change color colour convert cover cut delete draw dress drop erase exchange get give " +
    "have hide include insert let make move paint place put recolor remove render replace set show " +
    "substitute swap take transform turn use want wants needs should",
);
const isRemoval = anyOf("remove delete erase disappear rid hide drop without lose vanish cut");
const isTaken = anyOf("away off out");
const isStyle = anyOf(
  "style styled sketch drawing blueprint pixel pixelated poster neon watercolor watercolour painting " +
    "cartoon sepia blackandwhite monochrome film photo sketched comic anime",
);
const isBackdrop = anyOf("background backdrop behind scene scenery");
const isSetting = anyOf(
  "meadow grassy grass field desert night sky starry sea ocean beach forest woods snowy snow hills " +
    "mountains city street town sunset studio autumn park landscape space",
);
const isExchange = anyOf("replace swap exchange instead substitute");
const isAddition = anyOf("add insert include there");
const isPlacing = anyOf("put place draw show have want");
const isCorner = anyOf("left right top bottom corner middle");
const isAccessory = anyOf(`${tableWords(ACCESSORY_WORDS)} cap helmet`);
const isWorn = anyOf("show wear hold dress wearing holding give needs have put place draw on to");
const isKind = anyOf(`${tableWords(KIND_WORDS)} animal man woman person bus truck plane`);
const isLook = anyOf(
  `${tableWords(COLOUR_WORDS, TEXTURE_WORDS, PATTERN_WORDS)} color colour recolor paint texture ` +
    "pattern golden gold silver metal marble furry",
);
const isPattern = anyOf(tableWords(PATTERN_WORDS));
const isMaterial = anyOf("cover texture pattern paint color colour recolor look one");

/** The task an instruction asks for, judged by its words; "multiple" where it joins two edits. */
export function inferTask(instruction: string): Task {
  const text = instruction.toLowerCase().replaceAll(/black and white/g, "blackandwhite");
  const clauses = text.split(/\band\b|\bthen\b|\balso\b|[,;.]/).map(wordsOf);
  const requests = clauses.filter((words) => isVerb(words) || isElliptic(words));
  return requests.length > 1 ? "multiple" : taskOf(wordsOf(text));
}

/** A request without its verb: "and the background a desert", "then pixel art style". */
function isElliptic(words: readonly string[]): boolean {
  return /^(the|its|it)$/.test(words[0] ?? "") || words.includes("style");
}

function taskOf(words: readonly string[]): Task {
  const isGone = isRemoval(words) || words.includes("not") || words.includes("no");
  if (isGone || (words.includes("take") && isTaken(words))) return "remove";
  if (isBackdrop(words) && !isStyle(words)) return "background";
  if (isStyle(words)) return "style";
  if (isSetting(words) && !isMaterial(words)) return "background";
  if (isAccessory(words) && (isAddition(words) || isWorn(words))) return "add";
  if (isAddition(words) || (isPlacing(words) && isCorner(words))) return "add";
  const last = newThing(words);
  if (isPattern(words)) return "texture";
  if (isKind(last)) return "object";
  if (words.includes("like") && !isLook(last)) return "style";
  if (isLook(last) || isMaterial(words)) return "texture";
  if (isExchange(words)) return "object";
  return "texture";
}

/** The words about what something becomes: those after "into", "with" and the like, or after the target. */
function newThing(words: readonly string[]): readonly string[] {
  if (words[0] === "put" || words[0] === "use" || words[0] === "show") return words.slice(1);
  if (words.includes("instead") || words.includes("place")) return words;
  const target = words.findIndex((word, i) => isKind([word]) && i > 0);
  const it = words.indexOf("it");
  const named = [target, it].filter((index) => index >= 0);
  return words.slice(named.length === 0 ? 0 : Math.min(...named) + 1);
}
