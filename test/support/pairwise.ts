/**
 * Few rows in which every two levels of different factors meet at least once, given how many levels each factor has; a
 * row is the number of a level for each factor. The same ones every time.
 */
export function pairwiseRows(levels: readonly number[]): number[][] {
  const open = new Set(allPairs(levels));
  const rows: number[][] = [];
  for (const [pair] of iterateWhileOpen(open)) {
    const row: (number | undefined)[] = levels.map(() => undefined);
    const [one, i, other, j] = pair.match(/\d+/g)!.map(Number);
    row[one!] = i;
    row[other!] = j;
    for (const [factor, count] of levels.entries()) {
      row[factor] ??= bestLevel(row, factor, count, { open, turn: rows.length });
    }
    const full = row.map((level) => level!);
    for (const met of pairsOf(full)) open.delete(met);
    rows.push(full);
  }
  return rows;
}

function* iterateWhileOpen(open: ReadonlySet<string>): Generator<[string]> {
  for (let next = open.values().next(); !next.done; next = open.values().next()) yield [next.value];
}

/** The level that meets the most others of the row for the first time; where none does, levels take turns. */
function bestLevel(
  row: readonly (number | undefined)[],
  factor: number,
  count: number,
  { open, turn }: { readonly open: ReadonlySet<string>; readonly turn: number },
): number {
  const gains = Array.from({ length: count }, (_, level) => {
    const tried = row.map((set, at) => (at === factor ? level : set));
    return pairsOf(tried).filter((pair) => open.has(pair)).length;
  });
  const most = Math.max(...gains);
  const least = Math.min(...gains);
  return most === least ? turn % count : gains.indexOf(most);
}

function allPairs(levels: readonly number[]): string[] {
  return levels.flatMap((count, one) =>
    levels.flatMap((otherCount, other) =>
      other <= one
        ? []
        : Array.from({ length: count * otherCount }, (_, at) =>
            name(one, at % count, other, Math.floor(at / count)),
          ),
    ),
  );
}

function pairsOf(row: readonly (number | undefined)[]): string[] {
  return row.flatMap((i, one) =>
    row.flatMap((j, other) =>
      other <= one || i === undefined || j === undefined ? [] : [name(one, i, other, j)],
    ),
  );
}

const name = (one: number, i: number, other: number, j: number): string =>
  `${one}:${i} ${other}:${j}`;
