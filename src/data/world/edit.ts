import type { Accessory, Background, Colour, ObjectLook, Style, Texture, Thing } from "./scene.ts";

/** Where an added object can be put. */
export const PLACES = [
  "left",
  "right",
  "top",
  "bottom",
  "top-left",
  "top-right",
  "bottom-left",
  "bottom-right",
] as const;
/** The name of a place in the frame. */
export type Place = (typeof PLACES)[number];

/** The centre of an object that is put there: x and y in frame widths. */
export const PLACE_CENTRES: Readonly<Record<Place, readonly [number, number]>> = {
  left: [0.2, 0.5],
  right: [0.8, 0.5],
  top: [0.5, 0.2],
  bottom: [0.5, 0.8],
  "top-left": [0.2, 0.2],
  "top-right": [0.8, 0.2],
  "bottom-left": [0.2, 0.8],
  "bottom-right": [0.8, 0.8],
};

/** One change to a scene; `object` is the id of the object it is about. */
export type SingleEdit =
  | { readonly type: "style"; readonly style: Style }
  | { readonly type: "background"; readonly background: Background }
  | {
      readonly type: "replace";
      readonly object: number;
      readonly kind: Thing;
      /** The new colour; where it is missing the old one is kept. */
      readonly colour?: Colour;
    }
  | {
      readonly type: "repaint";
      readonly object: number;
      /** At least one of the two is there; what is missing is kept. */
      readonly colour?: Colour;
      readonly texture?: Texture;
    }
  | { readonly type: "add-accessory"; readonly object: number; readonly accessory: Accessory }
  | { readonly type: "add-object"; readonly look: ObjectLook; readonly place: Place }
  | { readonly type: "remove-accessory"; readonly object: number; readonly accessory: Accessory }
  | { readonly type: "remove-object"; readonly object: number };

/** A change to a scene: one, or two on different targets. */
export type Edit =
  | SingleEdit
  | { readonly type: "both"; readonly first: SingleEdit; readonly second: SingleEdit };
