import type { Shades } from "./palette.ts";

/** A fixed colour of eyes, wheels, windows and the like; a word of `Shades` follows the object's colour. */
export type Fill = keyof Omit<Shades, "outline" | "pattern"> | `#${string}`;

/** One filled and outlined piece. Pieces filled with "body" carry the object's texture. */
export interface Part {
  /** SVG path data in hundredths of the object's size, y pointing down, (0, 0) its centre. */
  readonly path: string;
  readonly fill: Fill;
  /** Drawn without an outline: eyes, noses, highlights. */
  readonly isBare?: boolean;
}

/** Where accessories sit: centre and width, in the coordinates of `Part.path`. */
export interface Anchor {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** How one kind of object is drawn, from back to front, and where it wears what. */
export interface Shape {
  readonly parts: readonly Part[];
  readonly anchors: {
    /** The middle of the top of the head. */
    readonly head: Anchor;
    /** Between the eyes. */
    readonly eyes: Anchor;
    /** The middle of the neck. */
    readonly neck: Anchor;
    /** The hand that holds a pole. */
    readonly hand: Anchor;
  };
}

/** A piece with an outline. */
export const part = (fill: Fill, path: string): Part => ({ path, fill });
/** A piece without an outline. */
export const bare = (fill: Fill, path: string): Part => ({ path, fill, isBare: true });
/** A place for an accessory; no width for a hand, which holds. */
export const anchor = (x: number, y: number, width = 0): Anchor => ({ x, y, width });
