import { DataError } from "../../engine/errors.ts";

/**
 * The rows of comma-separated text (RFC 4180): fields in quotes may hold commas, line breaks and doubled quotes.
 *
 * Empty lines are left out. Throws a DataError for a quote that is never closed.
 */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let end = 0;
  // A field with what follows it: a comma, a line break, or the end.
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  const whole = text.replace(/^\uFEFF/, "");
  while (end < whole.length || row.length > 0) {
    field.lastIndex = end;
    const match = field.exec(whole);
    if (!match) {
      const line = whole.slice(0, end).split("\n").length;
      throw new DataError(`line ${line}: expected fields between commas, got a stray quote`);
    }
    const [all, quoted, plain = "", separator] = match;
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    end += all.length;
    if (separator === ",") continue;
    if (row.length > 1 || row[0] !== "") rows.push(row);
    row = [];
  }
  return rows;
}
