import { z } from "zod";
import { TASKS } from "../../data/world/tasks.ts";

const figure = z.number().nullable();

/** A clip's or a picture's scores as a line of `eve evaluate … --json` holds them. */
export const ScoredClip = z.looseObject({
  type: z.enum(["clip-scored", "picture-scored"]),
  method: z.string(),
  task: z.enum(TASKS),
  index: z.int(),
  /** Denoising steps, where several numbers of them are measured. */
  steps: z.int().optional(),
  instruction: z.string().optional(),
  changedShare: z.number().optional(),
  success: z.boolean(),
  steady: z.boolean().nullable(),
  edited: z.boolean(),
  kept: z.boolean(),
  flicker: figure,
  psnr: z.number(),
  psnrChanged: figure,
  psnrKept: figure,
});
export type ScoredClip = z.infer<typeof ScoredClip>;

/** Scored clips by what edited them: the method, and the number of steps where several were measured (`aligned:3`). */
export function byMethod(clips: readonly ScoredClip[]): ReadonlyMap<string, readonly ScoredClip[]> {
  return Map.groupBy(clips, ({ method, steps }) =>
    steps === undefined ? method : `${method}:${steps}`,
  );
}

/** The same clips, in the order of an evaluation, as two methods edited them, and how many only one of them did. */
export interface ClipPairs {
  readonly own: readonly ScoredClip[];
  readonly other: readonly ScoredClip[];
  readonly single: number;
}

/**
 * Finds each clip's partner: the same edit of the same scene. An index alone names another scene in another split, and a clip
 * of another length changes another share of its pixels.
 */
export function pairsOf(own: readonly ScoredClip[], other: readonly ScoredClip[]): ClipPairs {
  const partners = new Map(other.map((clip) => [identity(clip), clip]));
  // by index and then by task, in whatever order processes were done with them: intervals depend on it
  const inOrder = own.toSorted(
    (a, b) => a.index - b.index || TASKS.indexOf(a.task) - TASKS.indexOf(b.task),
  );
  const pairs = inOrder.flatMap((clip) => {
    const partner = partners.get(identity(clip));
    return partner === undefined ? [] : [[clip, partner] as const];
  });
  return {
    own: pairs.map(([clip]) => clip),
    other: pairs.map(([, partner]) => partner),
    single: own.length + other.length - 2 * pairs.length,
  };
}

/** The first clip that stands in a list twice, by the same method; it would count twice. */
export function repeatedClip(clips: readonly ScoredClip[]): ScoredClip | undefined {
  const seen = new Set<string>();
  return clips.find((clip) => seen.size === seen.add(identity(clip)).size);
}

function identity({ task, index, instruction = "", changedShare }: ScoredClip): string {
  return [task, index, changedShare?.toFixed(3), instruction].join(" ");
}
