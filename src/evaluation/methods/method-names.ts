/** The names of all methods, in the order in which they are shown. */
export const METHOD_NAMES = [
  "aligned",
  "aligned-shared",
  "stacked",
  "stacked-shared",
  "frame-by-frame",
  "frame-by-frame-shared",
  "copy",
  "reconstruction",
] as const;
/** The name of a method. */
export type MethodName = (typeof METHOD_NAMES)[number];

/** How the names of methods that draw one noise for all frames end. */
const SHARED = "-shared";

/** Whether a method draws one noise for all frames. */
export function isShared(name: string): boolean {
  return name.endsWith(SHARED);
}

/** The method without its noise: that which draws each frame's own. */
export function plainName(name: string): string {
  return isShared(name) ? name.slice(0, -SHARED.length) : name;
}
