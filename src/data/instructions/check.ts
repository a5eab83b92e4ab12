import type { Draft, Proposal } from "./record.ts";

/** Bounds in characters. */
const INSTRUCTION = { least: 4, most: 200 };
const CAPTION = { least: 3, most: 500 };

const REMOVAL =
  /\b(remov\w*|delet\w*|eras\w*|rid|without|disappear\w*|vanish\w*|hid(?:e|den)|eliminat\w*|clear|cut|takes?|taken|drop|lose|no|not|empty)\b/;
const PURE_REMOVAL = /^(please |now )?(remove|delete|erase|get rid of|eliminate)\b/;
const JOIN = /\b(and|then|while|also|plus|with|but)\b|[,;]/;
/** Words that tell nothing of what is asked for. */
const EMPTY_WORDS = new Set(
  "a an the please now can could you would just it to into in on of and with is are".split(" "),
);

/** Draft with one space between words, and without the quotes that some writers put around. */
export function tidied({ task, instruction, outputCaption }: Proposal): Proposal {
  return { task, instruction: tidy(instruction), outputCaption: tidy(outputCaption) };
}

function tidy(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.replace(/^["“](.*)["”]$/, "$1").trim();
}

/**
 * Why a draft is no use for a clip, or undefined for a good one.
 *
 * `others`: instructions that the clip has already; one that says the same in nearly the same words is none.
 */
export function faultOf(
  { task, instruction, outputCaption }: Draft,
  caption: string,
  others: readonly string[],
): string | undefined {
  const faults: readonly (string | false)[] = [
    [instruction, outputCaption].some(isForeign) &&
      "instructions and captions have to be in English, which the model reads",
    lengthFault("the instruction", instruction, INSTRUCTION),
    lengthFault("the output caption", outputCaption, CAPTION),
    wordsOf(instruction).length < 2 && "the instruction is a single word",
    normalised(outputCaption) === normalised(caption) && "the output caption is the input caption",
    normalised(instruction) === normalised(caption) && "the instruction is the input caption",
    normalised(instruction) === normalised(outputCaption) &&
      "the instruction is the output caption",
    others.some((other) => normalised(other) === normalised(instruction)) &&
      "the clip has that instruction already",
    misfit(task, instruction, outputCaption, caption),
  ];
  return faults.find((fault) => fault !== false) || undefined;
}

/** Whether a text is in another script than English. */
function isForeign(text: string): boolean {
  return /\p{L}/u.test(text) && !/[a-z]/i.test(text);
}

function lengthFault(
  what: string,
  text: string,
  { least, most }: { least: number; most: number },
): string | false {
  if (text.length < least) return `${what} has fewer than ${least} characters`;
  return text.length > most && `${what} has more than ${most} characters`;
}

/** Whether the words belong to another task. */
function misfit(
  task: Draft["task"],
  instruction: string,
  outputCaption: string,
  caption: string,
): string | false {
  const said = instruction.toLowerCase();
  if (task === "remove") return !REMOVAL.test(said) && "the instruction removes nothing";
  if (task !== "multiple" && PURE_REMOVAL.test(said) && !JOIN.test(said))
    return "the instruction only removes";
  if (task === "multiple" && !JOIN.test(said)) return "the instruction asks for one edit, not two";
  const before = new Set(wordsOf(caption));
  const isNew = wordsOf(outputCaption).some((word) => !before.has(word) && !EMPTY_WORDS.has(word));
  const isNamed = task === "multiple" || task === "texture" || isNew;
  return !isNamed && "the output caption names nothing new";
}

/** A sentence without case, punctuation, politeness and little words: two that agree say the same. */
export function normalised(text: string): string {
  const words = wordsOf(text);
  const telling = words.filter((word) => !EMPTY_WORDS.has(word));
  return (telling.length > 0 ? telling : words).join(" ");
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
