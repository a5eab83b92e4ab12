/** What can be drawn. Each has one canonical shape, facing one way, in a box of unit size. */
export const KINDS = [
  "ball",
  "box",
  "star",
  "heart",
  "fish",
  "cat",
  "dog",
  "fox",
  "bird",
  "car",
  "boat",
  "house",
  "tree",
  "rocket",
  "mushroom",
  "robot",
] as const;
/** The name of a kind of thing. */
export type Kind = (typeof KINDS)[number];

/**
 * Things of which no sampled scene holds one, so that nothing trained on the world has seen them: subjects for adapters
 * of their own (§4.4). Each has one look, whatever colour and texture its record says.
 */
export const SUBJECTS = ["toy-robot", "owl"] as const;
/** The name of a held-out subject. */
export type Subject = (typeof SUBJECTS)[number];

/** The kind that a subject is one of, as a dog of one's own is a dog (§4.4); null for a kind of its own. */
export const CLASS_OF: Readonly<Record<Subject, Kind | null>> = { "toy-robot": "robot", owl: null };

/** Everything that has a shape. */
export type Thing = Kind | Subject;

/** The nameable colours; palette.ts has the one shade of each. */
export const COLOURS = [
  "red",
  "orange",
  "yellow",
  "green",
  "cyan",
  "blue",
  "purple",
  "pink",
  "brown",
  "black",
  "gray",
  "white",
] as const;
/** The name of a colour. */
export type Colour = (typeof COLOURS)[number];

/** The patterns an object's body can carry. They are fixed to the object and turn with it. */
export const TEXTURES = [
  "plain",
  "striped",
  "checkered",
  "dotted",
  "wooden",
  "brick",
  "wavy",
  "scaly",
  "leafy",
] as const;
/** The name of a pattern. */
export type Texture = (typeof TEXTURES)[number];

/** Where a scene takes place. Each has one canonical look, periodic from left to right. */
export const BACKGROUNDS = [
  "meadow",
  "desert",
  "night-sky",
  "sea",
  "forest",
  "snow",
  "city",
  "sunset",
  "studio",
  "autumn",
] as const;
/** The name of a background. */
export type Background = (typeof BACKGROUNDS)[number];

/** What the whole frame goes through after it is drawn; "plain" leaves it alone. */
export const STYLES = [
  "plain",
  "black-and-white",
  "sepia",
  "blueprint",
  "pixel-art",
  "poster",
  "sketch",
  "neon",
  "watercolor",
] as const;
/** The name of a style, "plain" for none. */
export type Style = (typeof STYLES)[number];

/** What an object can wear or hold. Each has one colour and one place on each kind of object. */
export const ACCESSORIES = [
  "hat",
  "crown",
  "scarf",
  "glasses",
  "umbrella",
  "bow-tie",
  "flag",
] as const;
/** The name of something to wear or hold. */
export type Accessory = (typeof ACCESSORIES)[number];

/** How large an object is, from least to most. */
export const SIZES = ["small", "medium", "large"] as const;
/** The name of a size. */
export type Size = (typeof SIZES)[number];

/** The ways in which an object moves. */
export const MOTION_TYPES = [
  "still",
  "linear",
  "bouncing",
  "orbiting",
  "rotating",
  "growing",
  "swaying",
] as const;
/** The name of a way to move. */
export type MotionType = (typeof MOTION_TYPES)[number];

/** How an object moves; every motion returns to where it began, so that clips have any length. */
export interface Motion {
  readonly type: MotionType;
  /** Frames until the motion repeats. */
  readonly period: number;
  /** Where in its period the motion is at frame 0, in [0, 1). */
  readonly phase: number;
  /** How far it goes, in frame widths. */
  readonly amount: number;
  /** Direction of a linear motion, in radians. */
  readonly direction: number;
}

/** What can be said of an object: all that captions speak of and all that edits change. */
export interface ObjectLook {
  readonly id: number;
  readonly kind: Thing;
  readonly colour: Colour;
  readonly texture: Texture;
  readonly size: Size;
  readonly accessories: readonly Accessory[];
  readonly motion: Motion;
}

/** An object with its place: `x`, `y` of its centre and its `scale` in frame widths, at rest. */
export interface SceneObject extends ObjectLook {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

/** How the view moves: it leaves its first place and comes back, once a period. */
export interface Camera {
  readonly type: "still" | "pan" | "zoom";
  /** Frames until the camera is back. */
  readonly period: number;
  /** Farthest shift of a pan, in frame widths. */
  readonly x: number;
  readonly y: number;
  /** Largest magnification of a zoom minus one. */
  readonly zoom: number;
}

/** What a sentence can tell of a scene: no places, nothing to draw from. */
export interface Description {
  /** From the farthest to the nearest: a later object hides an earlier one. */
  readonly objects: readonly ObjectLook[];
  readonly background: Background;
  readonly style: Style;
}

/** A scene of the generated world: plain data, all that a renderer needs for any frame at any size. */
export interface Scene extends Description {
  readonly objects: readonly SceneObject[];
  /** The background's own velocity, in frame widths per frame to the right. */
  readonly drift: number;
  readonly camera: Camera;
}
