import { jsonOf } from "../../engine/json.ts";

/** The JSON objects and arrays in a text, in their order; words, code fences and stray brackets around them are passed over. */
export function jsonInText(text: string): unknown[] {
  const values: unknown[] = [];
  const opening = /[[{]/g;
  for (let found = opening.exec(text); found; found = opening.exec(text)) {
    const end = closingOf(text, found.index);
    const value = end === undefined ? undefined : jsonOf(text.slice(found.index, end));
    if (value === undefined) continue;
    values.push(value);
    opening.lastIndex = end!;
  }
  return values;
}

/** Where the bracket at `start` is closed; undefined where it never is. Brackets in quotes do not count. */
function closingOf(text: string, start: number): number | undefined {
  let depth = 0;
  let isQuoted = false;
  for (let at = start; at < text.length; at++) {
    const sign = text[at]!;
    if (sign === "\\" && isQuoted) at++;
    else if (sign === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (sign === "{" || sign === "[") depth++;
    else if ((sign === "}" || sign === "]") && --depth === 0) return at + 1;
  }
  return undefined;
}
