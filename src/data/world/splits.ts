/** The three parts of the world. A split's name is hashed into all of its randomness: none can mix. */
export const SPLITS = ["train", "validation", "test"] as const;
export type Split = (typeof SPLITS)[number];
