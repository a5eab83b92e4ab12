import { DataError } from "../../engine/errors.ts";

/** A cell up to its separator: quoted, with quotes inside doubled, or plain. */
const CELL = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;

/**
 * The rows of a CSV text (RFC 4180): cells between commas; quoted ones may hold commas, quotes and line breaks.
 *
 * `what` names the text in errors. Empty lines are rows of one empty cell; one at the very end is no row.
 */
export function parseCsv(text: string, what: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let end = text.startsWith("\uFEFF") ? 1 : 0;
  while (end < text.length || row.length > 0) {
    CELL.lastIndex = end;
    const match = CELL.exec(text);
    if (!match) {
      throw new DataError(
        `${what}: expected a comma or a new line after a cell of row ${rows.length + 1}, got a stray or unclosed quote`,
      );
    }
    const [whole, quoted, plain = "", separator] = match;
    row.push(quoted?.replaceAll('""', '"') ?? plain);
    end += whole.length;
    if (separator !== ",") {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}
