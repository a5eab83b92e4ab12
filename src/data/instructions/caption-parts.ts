import {
  BACKGROUND_WORDS,
  COLOUR_WORDS,
  MOTION_WORDS,
  SIZE_WORDS,
  TEXTURE_WORDS,
} from "../world/words.ts";

/** A stretch of a caption, in words: from `start` to before `end`. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** A thing that a caption names: "a small red car". */
export interface Thing extends Stretch {
  /** "a", "the", "two", or nothing. */
  readonly determiner: string;
  readonly adjectives: readonly string[];
  /** "car", "cup of coffee". */
  readonly noun: string;
}

/** What a caption says, as far as simple rules tell. */
export interface CaptionParts {
  readonly words: readonly string[];
  /** Things outside the setting, in order; surroundings are none. */
  readonly things: readonly Thing[];
  /** Surroundings that come first: "snowy hills with a dog"; null where there are none. */
  readonly scenery: Stretch | null;
  /** Where it happens: "in a meadow"; null where that is not said. */
  readonly setting: Stretch | null;
}

const set = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));
const tableWords = (...tables: readonly Readonly<Record<string, readonly string[]>>[]): string =>
  tables.flatMap((table) => Object.values(table).flat()).join(" ");

const DETERMINERS = set(
  "a an the one two three four five six several some many his her its their my this that another",
);
/** Words that begin a place. */
const PLACING = set(
  "in on at under by near along through across against inside beside among over into above below behind around outside",
);
/** Words after which a phrase about a thing is over. */
const ENDING = set(
  "with and or of to from between while as is are was were being that which who it there he she they then off up down " +
    "out for during wearing holding carrying runs walks sits stands plays jumps flies swims lies moves rides drives " +
    "eats drinks looks floats rolls turns spins dances sleeps climbs falls hangs rests waits works",
);
/** Verbs after a plural without an article: "waves crash". */
const PLURAL_VERBS = set(
  "run walk sit stand play jump fly swim lie move ride drive eat drink look float roll turn spin dance sleep climb " +
    "fall hang rest wait work crash flow pass drift swing glow burn grow",
);
const LOOKS = set(tableWords(COLOUR_WORDS, TEXTURE_WORDS));
const ADJECTIVES = set(
  `${tableWords(COLOUR_WORDS, TEXTURE_WORDS, SIZE_WORDS, MOTION_WORDS)} young old new long short tall wide narrow fat ` +
    "thin bright dark light pale shiny golden silver wooden metal glass plastic beautiful cute happy sad wild calm " +
    "empty full open closed round square high low fluffy furry tiny huge giant baby",
);
/** Nouns that are the picture itself, not what it shows. */
const PICTURE = set(
  "video picture photo scene shot view clip footage image close close-up closeup drawing painting sketch",
);

const PLACES = set(
  `${tableWords(BACKGROUND_WORDS)} beach street road sky mountains hill lake river park garden field kitchen room landscape`,
);

/** Whether a noun is surroundings rather than a thing in them: by its last word. */
function isPlace(noun: string): boolean {
  const last = noun.toLowerCase().split(" ").at(-1) ?? "";
  return PLACES.has(last) && !DETERMINERS.has(last);
}

/** Whether a word tells the colour or the surface of a thing. */
export function isLook(word: string): boolean {
  return LOOKS.has(word.toLowerCase());
}

/** Finds the things and the place that a caption names. Where rules fail, less is found, never nonsense on purpose. */
export function captionParts(caption: string): CaptionParts {
  const words = caption
    .replace(/[.,;:!?\s]+$/, "")
    .split(/\s+/)
    .filter((word) => word !== "");
  const plain = words.map((word) => word.toLowerCase().replaceAll(/[^\p{L}\p{N}-]/gu, ""));
  const phrases = findPhrases(words, plain);
  const setting = findSetting(words, plain, phrases);
  const outside = phrases.filter(
    ({ start }) => !setting || start < setting.start || start >= setting.end,
  );
  const things = outside.filter(({ noun }) => !isPlace(noun));
  const [first] = outside;
  const isScenic = first !== undefined && isPlace(first.noun) && plain[first.end] === "with";
  return {
    words,
    things: things.length > 0 ? things : outside,
    scenery: isScenic ? first : null,
    setting,
  };
}

function findPhrases(words: readonly string[], plain: readonly string[]): Thing[] {
  const phrases: Thing[] = [];
  for (let i = 0; i < words.length;) {
    const isNamed = DETERMINERS.has(plain[i]!);
    const isBare = i === 0 && !ENDING.has(plain[i]!) && !PLACING.has(plain[i]!);
    if (!isNamed && !isBare) {
      i++;
      continue;
    }
    const first = isNamed ? i + 1 : i;
    const whole = phraseEnd(words, plain, first);
    const verb = isNamed ? -1 : plain.findIndex((word, at) => at > first && PLURAL_VERBS.has(word));
    const end = verb > first ? Math.min(verb, whole) : whole;
    const isPicture = PICTURE.has(plain[first] ?? "") || PICTURE.has(plain[end - 1] ?? "");
    if (end > first && !isPicture) phrases.push(thingOf(words, plain, { start: i, end }, isNamed));
    i = isPicture ? Math.max(end, first + 1) : Math.max(end, i + 1);
    if (isPicture && plain[i] === "of") i++;
  }
  return phrases;
}

/** Where the words of a thing end: at a word that goes on about something else, at a verb, at a comma. */
function phraseEnd(words: readonly string[], plain: readonly string[], first: number): number {
  let end = first;
  while (end < words.length) {
    const word = plain[end]!;
    const isOf = word === "of" && end > first && !PICTURE.has(plain[end - 1]!);
    const isAfterNoun = end > first && !ADJECTIVES.has(plain[end - 1]!);
    if (isOf) {
      end += DETERMINERS.has(plain[end + 1] ?? "") ? 2 : 1;
      continue;
    }
    if (ENDING.has(word) || PLACING.has(word) || DETERMINERS.has(word)) break;
    if (isAfterNoun && /(ing|ed|ly)$/.test(word)) break;
    end++;
    if (/[,;:]$/.test(words[end - 1]!)) break;
  }
  return end;
}

function thingOf(
  words: readonly string[],
  plain: readonly string[],
  { start, end }: Stretch,
  isNamed: boolean,
): Thing {
  const own = words
    .slice(isNamed ? start + 1 : start, end)
    .map((word) => word.replace(/[,;:]$/, ""));
  const known = own.findIndex(
    (word) => !ADJECTIVES.has(word.toLowerCase()) && !/(ed|ing)$/.test(word),
  );
  const nounAt = known < 0 ? own.length - 1 : Math.min(known, own.length - 1);
  return {
    start,
    end,
    determiner: isNamed ? plain[start]! : "",
    adjectives: own.slice(0, nounAt),
    noun: own.slice(nounAt).join(" "),
  };
}

/** The first place that is told, with everything that follows it up to a comma or to another thing. */
function findSetting(
  words: readonly string[],
  plain: readonly string[],
  phrases: readonly Thing[],
): Stretch | null {
  const behind = plain.findIndex(
    (word, i) => word === "in" && plain[i + 1] === "the" && plain[i + 2] === "background",
  );
  const backdrop = phrases.find(({ start, end }) => end === behind && plain[start - 1] === "with");
  if (backdrop) return { start: backdrop.start - 1, end: behind + 3 };
  const inFront = plain.findIndex(
    (word, i) => word === "in" && plain[i + 1] === "front" && plain[i + 2] === "of",
  );
  const placing = plain.findIndex(
    (word, i) =>
      PLACING.has(word) &&
      (i === 0 || phrases.some(({ start }) => start < i)) &&
      !plain.slice(i, i + 5).includes("style"), // "in sepia style" is no place
  );
  const start = inFront >= 0 && inFront <= placing ? inFront : placing;
  if (start < 0 || start === words.length - 1) return null;
  let end = start + 1;
  while (end < words.length && !/[,;:]$/.test(words[end - 1]!)) {
    const isNext = plain[end] === "with" || plain[end] === "and" || plain[end] === "while";
    if (isNext && end > start + 1) break;
    end++;
  }
  return { start, end };
}
