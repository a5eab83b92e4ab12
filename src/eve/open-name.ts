/** What the model of public weights is called, by users and in receipts. */
export const OPEN_NAME = "open";
