import { DataError } from "../../engine/errors.ts";
import { WorldRng } from "../world/rng.ts";
import type { Task } from "../world/tasks.ts";
import { fill, INSTRUCTIONS, JOINS } from "../world/templates.ts";
import {
  captionParts,
  type CaptionParts,
  isLook,
  type Stretch,
  type Thing,
} from "./caption-parts.ts";
import type { WritingOrder, Writer } from "./instruct.ts";
import type { Draft } from "./record.ts";
import { TARGETS } from "./targets.ts";

/** What one edit says, before it is a draft. */
interface Edit {
  readonly instruction: string;
  readonly outputCaption: string;
}

/** A writer that needs no language model: the wordings of the generated world around what a caption names. */
export const templateWriter: Writer = {
  name: "templates",
  write: async (order) => templateDrafts(order),
};

/**
 * Drafts by rules, drawn by the clip's pictures: the same clip gets the same ones.
 *
 * Tasks for which the caption names nothing to change are left out.
 */
export function templateDrafts({ caption, sha256, tasks, attempt }: WritingOrder): Draft[] {
  const parts = captionParts(caption);
  if (parts.words.length === 0) throw new DataError("the caption is empty");
  return tasks.flatMap((task) => {
    const edit = EDITS[task](parts, new WorldRng("templates", sha256, task, attempt));
    return edit ? [{ task, ...edit }] : [];
  });
}

/** Each task's rule; undefined where the caption gives it no hold. */
const EDITS: Readonly<Record<Task, (parts: CaptionParts, rng: WorldRng) => Edit | undefined>> = {
  style: ({ words }, rng) => {
    const { name, noun } = TARGETS.style(rng, words);
    return {
      instruction: worded("style", rng, { name, noun, style: noun }),
      outputCaption: `${words.join(" ")}, ${rng.chance(0.5) ? `${name} style` : `drawn as ${noun}`}`,
    };
  },
  background: (parts, rng) => {
    const place = TARGETS.background(rng, parts.words);
    return {
      instruction: worded("background", rng, place),
      outputCaption: elsewhere(parts, place),
    };
  },
  object: (parts, rng) => {
    const thing = pickThing(parts, rng);
    if (!thing) return undefined;
    const kind = TARGETS.kind(rng, parts.words);
    return {
      instruction: worded("replace", rng, { target: targetOf(thing, parts, rng), kind }),
      outputCaption: replaced(parts, thing, kind),
    };
  },
  texture: (parts, rng) => {
    const thing = pickThing(parts, rng);
    return thing && repainted(parts, thing, rng);
  },
  multiple: (parts, rng) => {
    const thing = pickThing(parts, rng);
    if (!thing) return undefined;
    const first = repainted(parts, thing, rng);
    const place = TARGETS.background(rng, parts.words);
    const second = worded("background", rng, place);
    return {
      instruction: fill(rng.pick(JOINS.train), { first: first.instruction, second }),
      outputCaption: elsewhere(captionParts(first.outputCaption), place),
    };
  },
  add: (parts, rng) =>
    (rng.chance(0.5) ? accessory(parts, rng) : undefined) ?? addition(parts, rng),
  remove: (parts, rng) => removal(parts, rng),
};

function worded(
  kind: keyof typeof INSTRUCTIONS,
  rng: WorldRng,
  slots: Readonly<Record<string, string>>,
): string {
  return fill(rng.pick(INSTRUCTIONS[kind].train), slots);
}

function repainted(parts: CaptionParts, thing: Thing, rng: WorldRng): Edit {
  const { look, aLook, pattern } = TARGETS.look(rng, thing);
  const kind = pattern === undefined ? rng.pick(["repaint", "recolour"] as const) : "retexture";
  const slots = { target: targetOf(thing, parts, rng), look, aLook, pattern: pattern ?? "" };
  const kept = thing.adjectives.filter((word) => !isLook(word) && word !== "and");
  const painted = [...kept, look, thing.noun].join(" ");
  return {
    instruction: worded(kind, rng, slots),
    outputCaption: replaced(parts, thing, determined(thing.determiner, painted)),
  };
}

/** Something to wear, for what can wear something. */
function accessory(parts: CaptionParts, rng: WorldRng): Edit | undefined {
  const thing = parts.things.find(({ noun }) => TARGETS.canWear(noun));
  if (!thing) return undefined;
  const { worn, isHeld } = TARGETS.accessory(rng, parts.words);
  const wear = isHeld ? "hold" : "wear";
  const slots = { target: targetOf(thing, parts, rng), accessory: worn, wear };
  const dressed = `${textOf(parts, thing)} ${isHeld ? "holding" : "wearing"} ${worn}`;
  return {
    instruction: worded("addAccessory", rng, slots),
    outputCaption: replaced(parts, thing, dressed),
  };
}

function addition(parts: CaptionParts, rng: WorldRng): Edit {
  const { added, place } = TARGETS.addition(rng, parts.words);
  const instruction = worded("addObject", rng, { new: added, place });
  const last = parts.things.at(-1);
  const isJoined = last && (last.end === parts.setting?.start || last.end === parts.words.length);
  if (isJoined && !/[,;:]$/.test(parts.words[last.end - 1]!))
    return {
      instruction,
      outputCaption: replaced(parts, last, `${textOf(parts, last)} and ${added}`),
    };
  return { instruction, outputCaption: `${parts.words.join(" ")}, with ${added} ${place}` };
}

/** What hangs on another thing goes first ("with a hat"), then one of several, then the only one. */
function removal(parts: CaptionParts, rng: WorldRng): Edit | undefined {
  const { things, words } = parts;
  const joined = things.filter(({ start }) =>
    /^(with|and|wearing|holding)$/i.test(words[start - 1] ?? ""),
  );
  const thing = joined.length > 0 ? rng.pick(joined) : things[0];
  if (!thing) return undefined;
  const instruction = worded("removeObject", rng, { target: targetOf(thing, parts, rng) });
  if (joined.length > 0)
    return {
      instruction,
      outputCaption: without(parts, { start: thing.start - 1, end: thing.end }),
    };
  const setting = parts.setting ? textOf(parts, parts.setting).replace(/[,;:]$/, "") : "";
  return {
    instruction,
    outputCaption: setting === "" ? "an empty scene" : `nothing ${lowered(setting)}`,
  };
}

/** "the red car": with a detail where another thing has the same name, and now and then. */
function targetOf({ noun, adjectives }: Thing, { things }: CaptionParts, rng: WorldRng): string {
  const isNeeded = things.filter((thing) => thing.noun === noun).length > 1;
  const detail = isNeeded || rng.chance(0.3) ? adjectives : [];
  return ["the", ...detail, noun].join(" ");
}

function pickThing({ things }: CaptionParts, rng: WorldRng): Thing | undefined {
  const [first] = things;
  return first && (rng.chance(0.7) ? first : rng.pick(things));
}

/** The caption at another place: in the place of the old one, else behind what it shows and before any comma. */
function elsewhere(
  parts: CaptionParts,
  { background, setting }: { readonly background: string; readonly setting: string },
): string {
  const { words, things, scenery } = parts;
  if (parts.setting) return replaced(parts, parts.setting, setting);
  if (scenery) return replaced(parts, scenery, background);
  const shown = things[0]?.end ?? 1;
  const comma = words.findIndex((word, i) => i >= shown - 1 && /[,;:]$/.test(word));
  const end = comma < 0 ? words.length : comma + 1;
  const clause = { start: 0, end };
  return replaced(parts, clause, `${textOf(parts, clause)} ${setting}`);
}

/** The caption with other words for a stretch of it; a comma behind the stretch stays. */
function replaced({ words }: CaptionParts, { start, end }: Stretch, text: string): string {
  const comma = /[,;:]$/.exec(words[end - 1] ?? "")?.[0] ?? "";
  const changed = [...words.slice(0, start), `${text}${comma}`, ...words.slice(end)];
  return changed.join(" ");
}

/** The caption without a stretch of it; a comma behind the stretch moves to the word before. */
function without({ words }: CaptionParts, { start, end }: Stretch): string {
  const comma = /[,;:]$/.exec(words[end - 1] ?? "")?.[0] ?? "";
  const before = words
    .slice(0, start)
    .join(" ")
    .replace(/[,;:]$/, "");
  return `${before}${comma} ${words.slice(end).join(" ")}`.trim().replace(/[,;:]$/, "");
}

function textOf({ words }: CaptionParts, { start, end }: Stretch): string {
  return words
    .slice(start, end)
    .join(" ")
    .replace(/[,;:]$/, "");
}

function lowered(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** The words with their determiner, "a" or "an" as they sound. */
function determined(determiner: string, words: string): string {
  if (determiner === "") return words;
  const article = /^[aeiou]/i.test(words) ? "an" : "a";
  return `${/^an?$/.test(determiner) ? article : determiner} ${words}`;
}
