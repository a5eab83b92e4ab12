/** The levels of each factor, by its name. */
export type Factors = Readonly<Record<string, readonly (string | number)[]>>;
/** One level of each factor. */
export type Row<F extends Factors> = { readonly [Name in keyof F]: F[Name][number] };

/** Few rows in which every two levels of different factors meet at least once; the same ones every time. */
export function pairwiseRows<const F extends Factors>(factors: F): Row<F>[] {
  const names = Object.keys(factors);
  const open = new Set<string>();
  const pair = (one: number, i: number, other: number, j: number) => `${one}:${i} ${other}:${j}`;
  names.forEach((name, one) => {
    for (const [other, second] of names.entries()) {
      if (other <= one) continue;
      factors[name]!.forEach((_, i) =>
        factors[second]!.forEach((__, j) => open.add(pair(one, i, other, j))),
      );
    }
  });
  const rows: number[][] = [];
  while (open.size > 0) {
    const row: (number | undefined)[] = names.map(() => undefined);
    for (const [one, i, other, j] of [[...open][0]!.match(/\d+/g)!.map(Number)]) {
      [row[one!], row[other!]] = [i, j];
    }
    const gain = (at: number, level: number) =>
      row.filter((set, other) => {
        if (set === undefined || other === at) return false;
        return open.has(other < at ? pair(other, set, at, level) : pair(at, level, other, set));
      }).length;
    for (const [at, name] of names.entries()) {
      if (row[at] !== undefined) continue;
      const gains = factors[name]!.map((_, level) => gain(at, level));
      // Where nothing is gained, levels take turns.
      const best = Math.max(...gains);
      const level = gains.indexOf(best);
      row[at] = best === 0 ? rows.length % gains.length : level;
    }
    row.forEach((i, one) =>
      row.forEach((j, other) => one < other && open.delete(pair(one, i!, other, j!))),
    );
    rows.push(row.map((level) => level!));
  }
  return rows.map(
    (row) =>
      Object.fromEntries(names.map((name, at) => [name, factors[name]![row[at]!]])) as Row<F>,
  );
}
