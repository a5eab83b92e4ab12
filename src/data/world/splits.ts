/** The three parts of the world. A split's name is hashed into all of its randomness: none can mix. */
export const SPLITS = ["train", "validation", "test"] as const;
/** The name of a part of the world. */
export type Split = (typeof SPLITS)[number];
