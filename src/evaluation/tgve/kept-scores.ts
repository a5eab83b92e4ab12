import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { appendJsonLine, readGrownJsonLines, writeJsonLines } from "../../data/clips/json-lines.ts";
import { NO_SCORES, type TgveScores } from "./tgve-means.ts";

const figure = z.number().nullable();
const Scores = z.strictObject({
  pickScore: figure,
  clipFrame: figure,
  clipText: figure,
  viclipDir: figure,
  viclipOut: figure,
} satisfies Record<keyof TgveScores, z.ZodType>);

/** An edit with its scores: a line of what `eve evaluate tgve` prints with `--json`. */
export const EditLine = z.looseObject({
  set: z.string(),
  video: z.string(),
  edit: z.string(),
  kind: z.string(),
  /** What the video shows, and the edit. */
  input: z.string(),
  caption: z.string(),
  scores: Scores,
});
export type EditLine = z.infer<typeof EditLine>;

/** A line of a file that is kept: all that the scores depend on but the networks. */
export const KeptEdit = EditLine.extend({
  /** SHA-256 of the edit's frames. */
  sha256: z.string(),
});
export type KeptEdit = z.infer<typeof KeptEdit>;

/** What tells an edit of one submission from that of another. */
type Place = Pick<KeptEdit, "set" | "video" | "edit" | "input" | "caption" | "sha256">;

/** Scores in a file with one edit a line: what a stopped evaluation has found, for the next. */
export class KeptScores {
  readonly #path: string;
  readonly #scores: Map<string, TgveScores>;

  /** Throws a DataError for a file that holds anything else. */
  constructor(path: string) {
    const kept = readGrownJsonLines(path, KeptEdit);
    // without the line that a killed process left half-written: the next is added behind it
    if (existsSync(path)) writeJsonLines(path, kept);
    mkdirSync(dirname(path), { recursive: true });
    this.#path = path;
    this.#scores = new Map(kept.map((edit) => [identity(edit), edit.scores]));
  }

  /** The scores of an edit whose frames and captions are the same, if they have all of `metrics`; the others are null. */
  find(edit: Place, metrics: readonly (keyof TgveScores)[]): TgveScores | undefined {
    const scores = this.#scores.get(identity(edit));
    if (!scores || metrics.some((metric) => scores[metric] === null)) return undefined;
    const wanted = Object.fromEntries(metrics.map((metric) => [metric, scores[metric]]));
    return { ...NO_SCORES, ...wanted };
  }

  add(edit: KeptEdit): void {
    appendJsonLine(this.#path, edit);
    this.#scores.set(identity(edit), edit.scores);
  }
}

function identity({ set, video, edit, input, caption, sha256 }: Place): string {
  return JSON.stringify([set, video, edit, input, caption, sha256]);
}
