import { HELD_OUT_STYLES } from "./held-out-styles.ts";
import { SUBJECTS } from "./scene.ts";

/** What a LoRA of the backbone teaches it beside the world (§4.4): a style, or a subject. */
export const LOOK_TYPES = ["style", "subject"] as const;
/** Whether a look is a style or a subject. */
export type LookType = (typeof LOOK_TYPES)[number];

/** The looks that there are. No sampled scene has one. */
export const LOOK_NAMES = { style: HELD_OUT_STYLES, subject: SUBJECTS } as const;
/** The name of a look; of those of one type. */
export type LookName<Type extends LookType = LookType> = (typeof LOOK_NAMES)[Type][number];

/** A look by its type and name; commands write it `style:line-art`. */
export type Look = {
  readonly [Type in LookType]: { readonly type: Type; readonly name: LookName<Type> };
}[LookType];

/** The look that `text` names as `<type>:<name>`; null for none. */
export function parseLook(text: string): Look | null {
  const all: readonly Look[] = [
    ...LOOK_NAMES.style.map((name) => ({ type: "style", name }) as const),
    ...LOOK_NAMES.subject.map((name) => ({ type: "subject", name }) as const),
  ];
  return all.find(({ type, name }) => `${type}:${name}` === text) ?? null;
}
