import { invariant } from "../../engine/errors.ts";
import type { Edit, SingleEdit } from "./edit.ts";
import { newObjectPhrase, pickWording } from "./language.ts";
import type { WorldRng } from "./rng.ts";
import type { Colour, ObjectLook, Scene, Style, Texture } from "./scene.ts";
import type { Split } from "./splits.ts";
import { fill, INSTRUCTIONS, JOINS, PAIRS, POLITENESS } from "./templates.ts";
import {
  ACCESSORY_WORDS,
  BACKGROUND_WORDS,
  COLOUR_WORDS,
  PATTERN_WORDS,
  PLACE_WORDS,
  SETTING_WORDS,
  SIZE_WORDS,
  STYLE_NAMES,
  STYLE_NOUNS,
  TEXTURE_WORDS,
  THING_WORDS,
  withArticle,
  wording,
} from "./words.ts";

type Slots = Readonly<Record<string, string>>;

/** How often an instruction is polite. */
const POLITE = 0.15;
/** Styles that something can be made as they are named: "make it sepia". */
const ADJECTIVES: ReadonlySet<Style> = new Set(["black-and-white", "sepia", "pixel-art", "neon"]);
const SENTENCE_STARTS = new Set(["i", "the", "it", "in", "on", "at", "there"]);

/** The words that ask for an edit of a scene, one of many wordings. */
export function instruction(scene: Scene, edit: Edit, rng: WorldRng, split: Split): string {
  const request =
    edit.type === "both" ? joined(scene, edit, rng, split) : single(scene, edit, rng, split);
  const isRequest = !SENTENCE_STARTS.has(request.split(" ", 1)[0]!) && !request.includes("please");
  const isNamed = request.endsWith(" style") && request.split(" ").length < 5;
  return isRequest && !isNamed && rng.chance(POLITE)
    ? fill(rng.pick(POLITENESS), { request })
    : request;
}

function joined(
  scene: Scene,
  edit: Extract<Edit, { type: "both" }>,
  rng: WorldRng,
  split: Split,
): string {
  const { first, second } = edit;
  const pairs = PAIRS[`${first.type} ${second.type}`];
  if (pairs !== undefined && rng.chance(0.4)) {
    const [one, two] = [slotsOf(scene, first, rng), slotsOf(scene, second, rng)];
    const again = { target2: two["target"] ?? "", look2: two["look"] ?? "" };
    const slots = first.type === "background" ? { ...one, ...two } : { ...two, ...one };
    return fill(rng.pick(pairs), { ...slots, ...again });
  }
  return fill(pickWording(JOINS, rng, split), {
    first: single(scene, first, rng, split),
    second: single(scene, second, rng, split),
  });
}

function single(scene: Scene, edit: SingleEdit, rng: WorldRng, split: Split): string {
  const template = pickWording(INSTRUCTIONS[wordingOf(scene, edit, rng)], rng, split);
  return fill(template, slotsOf(scene, edit, rng));
}

function wordingOf(scene: Scene, edit: SingleEdit, rng: WorldRng): keyof typeof INSTRUCTIONS {
  switch (edit.type) {
    case "style":
    case "replace":
      return edit.type;
    case "background":
      return scene.objects.length === 1 && rng.chance(0.15) ? "setting" : "background";
    case "repaint":
      if (edit.texture === undefined) return rng.pick(["repaint", "recolour"]);
      if (edit.colour !== undefined || edit.texture === "plain") return "repaint";
      return rng.pick(["repaint", "retexture"]);
    case "add-accessory":
      return "addAccessory";
    case "add-object":
      return "addObject";
    case "remove-object":
      return "removeObject";
    case "remove-accessory": {
      const wearers = scene.objects.filter(({ accessories }) =>
        accessories.includes(edit.accessory),
      );
      return wearers.length === 1 && rng.chance(0.5) ? "removeOnlyAccessory" : "removeAccessory";
    }
  }
}

/** Everything that an edit's templates may ask for. */
function slotsOf(scene: Scene, edit: SingleEdit, rng: WorldRng): Slots {
  const target = (id: number) => ({ target: targetPhrase(scene, id, edit, rng) });
  switch (edit.type) {
    case "style": {
      invariant(edit.style !== "plain", "no words ask for the plain style");
      const name = wording(rng, STYLE_NAMES[edit.style]);
      const noun = wording(rng, STYLE_NOUNS[edit.style]);
      return { name, noun, style: ADJECTIVES.has(edit.style) ? name : noun };
    }
    case "background":
      return {
        background: wording(rng, BACKGROUND_WORDS[edit.background]),
        setting: wording(rng, SETTING_WORDS[edit.background]),
        ...target(scene.objects[0]!.id),
      };
    case "replace": {
      const noun = wording(rng, THING_WORDS[edit.kind]);
      const colour = edit.colour && wording(rng, COLOUR_WORDS[edit.colour]);
      return { kind: withArticle(colour ? `${colour} ${noun}` : noun), ...target(edit.object) };
    }
    case "repaint":
      return { ...lookSlots(edit.colour, edit.texture, rng), ...target(edit.object) };
    case "add-object":
      return { new: newObjectPhrase(edit.look, rng), place: wording(rng, PLACE_WORDS[edit.place]) };
    case "remove-object":
      return target(edit.object);
    case "add-accessory":
    case "remove-accessory": {
      const noun = wording(rng, ACCESSORY_WORDS[edit.accessory]);
      const isHeld = edit.accessory === "umbrella" || edit.accessory === "flag";
      return {
        accessory: withArticle(noun),
        worn: `the ${noun}`,
        wear: isHeld ? "hold" : "wear",
        ...target(edit.object),
      };
    }
  }
}

function lookSlots(colour: Colour | undefined, texture: Texture | undefined, rng: WorldRng): Slots {
  const paint = colour === undefined ? "" : wording(rng, COLOUR_WORDS[colour]);
  const surface = texture === undefined ? "" : wording(rng, TEXTURE_WORDS[texture]);
  const pattern =
    texture === undefined || texture === "plain" ? "" : wording(rng, PATTERN_WORDS[texture]);
  const both = rng.pick([`${paint} and ${surface}`, `${surface} and ${paint}`]);
  const look = paint === "" || surface === "" ? paint + surface : both;
  return { look, aLook: withArticle(look), pattern };
}

/** "the fox", or with one more word where that is plain to see. */
function targetPhrase(scene: Scene, id: number, edit: SingleEdit, rng: WorldRng): string {
  const look = scene.objects.find((object) => object.id === id)!;
  const canSayIt = edit.type === "repaint" || edit.type === "replace";
  if (canSayIt && scene.objects.length === 1 && rng.chance(0.06)) return "it";
  const detail = scene.style === "plain" && rng.chance(0.35) ? `${detailOf(look, rng)} ` : "";
  return `the ${detail}${wording(rng, THING_WORDS[look.kind])}`;
}

function detailOf(look: ObjectLook, rng: WorldRng): string {
  const details = [wording(rng, COLOUR_WORDS[look.colour])];
  if (look.texture !== "plain") details.push(wording(rng, TEXTURE_WORDS[look.texture]));
  if (look.size !== "medium") details.push(wording(rng, SIZE_WORDS[look.size]));
  return rng.pick(details);
}
