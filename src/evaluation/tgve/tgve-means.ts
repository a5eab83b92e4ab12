import { estimated, mean, type Interval } from "../statistics/bootstrap.ts";

/** The metrics of Table 1, and TGVE's own text alignment. */
export type TgveMetric = "pickScore" | "clipFrame" | "clipText" | "viclipDir" | "viclipOut";

/** Every metric of one edit, or their means; null where its network was left out. */
export type TgveScores = Readonly<Record<TgveMetric, number | null>>;

/** Those of an edit that no network has seen. */
export const NO_SCORES: TgveScores = {
  pickScore: null,
  clipFrame: null,
  clipText: null,
  viclipDir: null,
  viclipOut: null,
};

/** An edit with its scores. */
export interface ScoredEdit {
  readonly set: string;
  readonly video: string;
  /** The folder of the edit in a submission. */
  readonly edit: string;
  /** What kind of edit it is, e.g. `style`. */
  readonly kind: string;
  readonly scores: TgveScores;
}

/** Means over edits; null where none has the metric. */
export function meansOf(scored: readonly ScoredEdit[]): TgveScores {
  return byMetric((metric) =>
    mean(scored.map(({ scores }) => scores[metric]).filter((score) => score !== null)),
  );
}

/** 95 % intervals of the means over all edits. Videos are drawn, each with all of its edits: those of one video are alike. */
export function intervalsOf(scored: readonly ScoredEdit[]): Record<TgveMetric, Interval | null> {
  const units = scored.map(({ set, video }) => `${set}/${video}`);
  return byMetric(
    (metric) =>
      estimated(
        scored.map(({ scores }) => scores[metric]),
        { units },
      ).interval,
  );
}

/** A value for every metric. */
export function byMetric<Value>(of: (metric: TgveMetric) => Value): Record<TgveMetric, Value> {
  return {
    pickScore: of("pickScore"),
    clipFrame: of("clipFrame"),
    clipText: of("clipText"),
    viclipDir: of("viclipDir"),
    viclipOut: of("viclipOut"),
  };
}
