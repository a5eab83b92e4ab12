import { invariant } from "../../engine/errors.ts";

// How edits are asked for. Words in braces are filled in by instructions.ts; `test` wordings are kept
// for the test split alone, and use no word that the others do not.

/** The wordings of one kind of request. */
export interface Wording {
  readonly train: readonly string[];
  readonly test: readonly string[];
}

/** How each kind of edit is asked for. */
export const INSTRUCTIONS = {
  style: {
    train: [
      "make it {style}",
      "turn it into {noun}",
      "make it {noun}",
      "turn the video into {noun}",
      "make the video look like {noun}",
      "make it look like {noun}",
      "convert it to {name} style",
      "convert the video to {name}",
      "apply a {name} style",
      "change the style to {name}",
      "use a {name} style",
      "draw it as {noun}",
      "render it as {noun}",
      "render everything in {name} style",
      "show it as {noun}",
      "give it a {name} look",
      "give the video a {name} style",
      "in the style of {noun}",
      "{name} style",
      "i want it to look like {noun}",
    ],
    test: [
      "turn everything into {noun}",
      "render the video in {name} style",
      "show the video as {noun}",
      "let it look like {noun}",
      "draw everything in {name} style",
    ],
  },
  background: {
    train: [
      "turn the background into {background}",
      "make the background {background}",
      "change the background to {background}",
      "replace the background with {background}",
      "put {background} in the background",
      "use {background} as the background",
      "set the scene {setting}",
      "move the scene to {background}",
      "let it happen {setting}",
      "make it happen {setting}",
      "let it take place {setting}",
      "swap the background for {background}",
      "show {background} in the background",
      "the background should be {background}",
      "i want {background} in the background",
      "put {background} behind everything",
      "put everything {setting}",
      "change the scene to {background}",
      "there should be {background} behind it",
    ],
    test: [
      "let the background become {background}",
      "set everything {setting}",
      "have {background} in the background",
      "make the scene take place {setting}",
      "change the background into {background}",
    ],
  },
  /** A scene with one object, which the setting moves to. */
  setting: {
    train: ["put {target} {setting}", "place {target} {setting}", "move {target} to {background}"],
    test: ["show {target} {setting}"],
  },
  replace: {
    train: [
      "replace {target} with {kind}",
      "turn {target} into {kind}",
      "change {target} into {kind}",
      "change {target} to {kind}",
      "swap {target} for {kind}",
      "swap {target} with {kind}",
      "make {target} {kind}",
      "put {kind} in place of {target}",
      "use {kind} instead of {target}",
      "i want {kind} instead of {target}",
      "let {target} become {kind}",
      "exchange {target} for {kind}",
      "transform {target} into {kind}",
      "{target} should be {kind}",
      "show {kind} instead of {target}",
      "substitute {target} with {kind}",
    ],
    test: [
      "instead of {target} show {kind}",
      "make {target} become {kind}",
      "exchange {target} with {kind}",
      "draw {kind} in place of {target}",
    ],
  },
  repaint: {
    train: [
      "make {target} {look}",
      "turn {target} {look}",
      "make {target} look {look}",
      "turn {target} into {aLook} one",
      "replace {target} with {aLook} one",
      "change {target} into {aLook} one",
      "give {target} {aLook} look",
      "i want {target} to be {look}",
      "{target} should be {look}",
      "let {target} be {look}",
      "change {target} to be {look}",
      "let {target} become {look}",
    ],
    test: [
      "make {target} become {look}",
      "{target} should become {look}",
      "have {target} look {look}",
    ],
  },
  recolour: {
    train: [
      "make {target} {look}",
      "paint {target} {look}",
      "color {target} {look}",
      "colour {target} {look}",
      "change the color of {target} to {look}",
      "change the colour of {target} to {look}",
      "change {target} to {look}",
      "give {target} {aLook} color",
      "recolor {target} in {look}",
      "set the color of {target} to {look}",
    ],
    test: ["paint {target} in {look}", "make the color of {target} {look}"],
  },
  retexture: {
    train: [
      "cover {target} with {pattern}",
      "give {target} {pattern}",
      "give {target} {aLook} texture",
      "change the texture of {target} to {look}",
      "make the texture of {target} {look}",
      "put {pattern} on {target}",
      "cover {target} in {pattern}",
      "make {target} {look}",
    ],
    test: ["set the texture of {target} to {look}", "use {pattern} on {target}"],
  },
  addAccessory: {
    train: [
      "add {accessory} to {target}",
      "give {target} {accessory}",
      "put {accessory} on {target}",
      "place {accessory} on {target}",
      "draw {accessory} on {target}",
      "let {target} {wear} {accessory}",
      "make {target} {wear} {accessory}",
      "have {target} {wear} {accessory}",
      "{target} should {wear} {accessory}",
      "i want {target} to {wear} {accessory}",
      "{target} needs {accessory}",
      "dress {target} with {accessory}",
      "{target} should have {accessory}",
    ],
    test: [
      "let {target} have {accessory}",
      "dress {target} in {accessory}",
      "show {target} with {accessory}",
      "i want {accessory} on {target}",
    ],
  },
  addObject: {
    train: [
      "add {new} {place}",
      "put {new} {place}",
      "place {new} {place}",
      "draw {new} {place}",
      "insert {new} {place}",
      "include {new} {place}",
      "{place} add {new}",
      "i want {new} {place}",
      "there should be {new} {place}",
      "let there be {new} {place}",
      "show {new} {place}",
    ],
    test: ["{place} put {new}", "have {new} {place}", "{place} there should be {new}"],
  },
  removeObject: {
    train: [
      "remove {target}",
      "remove {target} from the scene",
      "delete {target}",
      "get rid of {target}",
      "erase {target}",
      "take {target} away",
      "take away {target}",
      "take out {target}",
      "make {target} disappear",
      "let {target} disappear",
      "i do not want {target}",
      "hide {target}",
      "{target} should not be there",
      "cut {target} out",
      "the video without {target}",
    ],
    test: [
      "have {target} disappear",
      "{target} should disappear",
      "take {target} out",
      "erase {target} from the video",
    ],
  },
  removeAccessory: {
    train: [
      "remove {worn} from {target}",
      "remove {worn} of {target}",
      "take {worn} off {target}",
      "take {worn} away from {target}",
      "delete {worn} of {target}",
      "erase {worn} from {target}",
      "get rid of {worn} of {target}",
      "{target} should not {wear} {accessory}",
      "show {target} without {worn}",
      "make {target} lose {worn}",
    ],
    test: ["delete {worn} from {target}", "erase {worn} of {target}", "let {target} lose {worn}"],
  },
  /** Where only one object has such an accessory. */
  removeOnlyAccessory: {
    train: [
      "remove {worn}",
      "take off {worn}",
      "get rid of {worn}",
      "delete {worn}",
      "erase {worn}",
      "make {worn} disappear",
      "take {worn} away",
    ],
    test: ["take {worn} off", "let {worn} disappear"],
  },
} as const satisfies Record<string, Wording>;

/** How two requests are joined. */
export const JOINS: Wording = {
  train: [
    "{first} and {second}",
    "{first} and {second}",
    "{first}, and {second}",
    "{first} and also {second}",
    "{first}, then {second}",
    "first {first}, then {second}",
  ],
  test: [
    "{first} and then {second}",
    "first {first} and then {second}",
    "{first}, and also {second}",
  ],
};

/** How two requests with one verb are joined. */
export const PAIRS: Readonly<Record<string, readonly string[]>> = {
  "repaint background": ["make {target} {look} and the background {background}"],
  "background repaint": ["make the background {background} and {target} {look}"],
  "repaint repaint": ["make {target} {look} and {target2} {look2}"],
  "replace background": [
    "replace {target} with {kind} and the background with {background}",
    "turn {target} into {kind} and the background into {background}",
  ],
  "background replace": [
    "replace the background with {background} and {target} with {kind}",
    "change the background to {background} and {target} to {kind}",
  ],
};

/** Around a request that starts with a verb. */
export const POLITENESS = [
  "please {request}",
  "{request} please",
  "can you {request}",
  "could you {request}",
  "can you please {request}",
  "could you please {request}",
  "now {request}",
  "i would like you to {request}",
] as const;

/** How what a scene shows is put into a sentence. */
export const CAPTIONS: Wording = {
  train: [
    "{objects} {setting}",
    "{objects} {setting}",
    "{objects} {setting}",
    "{objects} in front of {background}",
    "{setting}, {objects}",
    "there is {objects} {setting}",
    "a video of {objects} {setting}",
    "a picture of {objects} {setting}",
    "a scene with {objects} {setting}",
    "{objects}, with {background} in the background",
    "{background} with {objects}",
  ],
  test: [
    "a scene of {objects} {setting}",
    "{setting} there is {objects}",
    "{background} in the background, with {objects}",
  ],
};

/** Around a caption, to name the style. */
export const STYLED_CAPTIONS: Wording = {
  train: [
    "{caption}, {name}",
    "{caption}, {name}",
    "{caption}, {name} style",
    "{caption}, in {name} style",
    "{noun} of {plain}",
    "{name} style, {caption}",
    "{caption}, drawn as {noun}",
  ],
  test: ["{caption}, as {noun}", "{name}, {caption}", "in {name} style, {caption}"],
};

/** What is said in place of the objects when there are none. */
export const NOTHING = ["nothing", "no object"] as const;

/** Words that the code joins phrases with. */
export const GLUE = "a an and it the with wearing holding wear hold";

/** Fills the braces of a template. */
export function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    invariant(value !== undefined, `nothing fills {${name}} of "${template}"`);
    return value;
  });
}
