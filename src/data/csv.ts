import { DataError } from "../engine/errors.ts";

/** One row of comma-separated text. */
export interface CsvRow {
  /** Where it begins in the text, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** A cell up to its separator: quoted, with quotes inside doubled, or plain. */
const CELL = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;

/**
 * The rows of a CSV text (RFC 4180): cells between commas; quoted ones may hold commas, quotes and line breaks.
 *
 * Empty lines are no rows. Throws a DataError that names the text (`what`) and the line of a stray or unclosed quote.
 */
export function parseCsv(text: string, what: string): CsvRow[] {
  const rows: CsvRow[] = [];
  let cells: string[] = [];
  let [line, rowLine] = [1, 1];
  let end = text.startsWith("\uFEFF") ? 1 : 0;
  while (end < text.length || cells.length > 0) {
    CELL.lastIndex = end;
    const match = CELL.exec(text);
    if (!match) {
      throw new DataError(
        `${what}, line ${line}: expected cells between commas, got a stray quote, or one that is never closed`,
      );
    }
    const [whole, quoted, plain = "", separator] = match;
    cells.push(quoted?.replaceAll('""', '"') ?? plain);
    end += whole.length;
    line += whole.match(/\r\n|\n|\r/g)?.length ?? 0;
    if (separator === ",") continue;
    if (whole.length > (separator?.length ?? 0) || cells.length > 1)
      rows.push({ line: rowLine, cells });
    cells = [];
    rowLine = line;
  }
  return rows;
}
