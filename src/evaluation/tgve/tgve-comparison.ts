import type { EditLine } from "./kept-scores.ts";
import { byMetric, intervalsOf, meansOf, type TgveScores } from "./tgve-means.ts";
import type { BenchmarkScored } from "./tgve-metrics.ts";

/** One submission beside another on the same edits: differences are the first's minus the second's. */
export interface TgveComparison extends Pick<BenchmarkScored, "means" | "byEdit" | "intervals"> {
  /** Edits that both have. */
  readonly scored: number;
  /** Edits that only one of them has. */
  readonly single: number;
}

/** Compares edit by edit, each with the same weight; a metric that one of the two lacks is null. */
export function compareTgve(own: readonly EditLine[], other: readonly EditLine[]): TgveComparison {
  const [mine, theirs] = [byIdentity(own), byIdentity(other)];
  const found = [...mine].flatMap(([key, edit]) => {
    const partner = theirs.get(key);
    return partner ? [{ ...edit, scores: difference(edit.scores, partner.scores) }] : [];
  });
  // whatever was scored first: intervals depend on the order
  const place = ({ set, video }: EditLine): string => `${set}/${video}`;
  const pairs = found.toSorted((a, b) => place(a).localeCompare(place(b), "en"));
  const byKind = Map.groupBy(pairs, ({ kind }) => kind);
  return {
    scored: pairs.length,
    single: mine.size + theirs.size - 2 * pairs.length,
    means: meansOf(pairs),
    byEdit: Object.fromEntries([...byKind].map(([kind, edits]) => [kind, meansOf(edits)])),
    intervals: intervalsOf(pairs),
  };
}

/** Edits by what tells them apart; of one that was scored twice the last counts. */
function byIdentity(edits: readonly EditLine[]): ReadonlyMap<string, EditLine> {
  return new Map(
    edits.map((line) => {
      const { set, video, edit, input, caption } = line;
      return [JSON.stringify([set, video, edit, input, caption]), line];
    }),
  );
}

function difference(own: TgveScores, other: TgveScores): TgveScores {
  return byMetric((metric) => {
    const [mine, theirs] = [own[metric], other[metric]];
    return mine === null || theirs === null ? null : mine - theirs;
  });
}
