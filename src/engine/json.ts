/** A text's JSON value; undefined where it is none, as in a file that is being written. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
