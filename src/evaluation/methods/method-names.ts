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
