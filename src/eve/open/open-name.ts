/** What the model of public weights is called, by users and in receipts. */
export const OPEN_NAME = "open";
/** Side of its square pictures in pixels: what Stable Diffusion 1.5 was trained on. */
export const OPEN_SIZE = 512;
