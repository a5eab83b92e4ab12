import { UserError } from "../engine/errors.ts";
import type { StageEntry } from "../training/stage.ts";
import { withSettings, type StageSettings } from "./changed-settings.ts";

/** One row of an ablation table: a distillation that lacks something, everything else alike. */
export interface Ablation {
  /** As the paper's Table 2 calls it, where it has it. */
  readonly title: string;
  /** What it changes in the distillation's settings; null: nothing is trained at all. */
  readonly changes: StageSettings | null;
  /** How often people preferred the whole method to it: the mean of Table 2's three questions, in %; null: not there. */
  readonly paper: number | null;
}

/** The whole method. */
export const full: Ablation = { title: "EVE", changes: {}, paper: null };

/** Table 2: fresh adapters on the backbone, and all weights trained. */
export const randomInit: Ablation = {
  title: "Random Init",
  changes: { student: "unpretrained" },
  paper: 87.2,
};

/** Table 2: both adapters stacked. */
export const withoutAlignment: Ablation = {
  title: "w/o alignment",
  changes: null,
  paper: 86.3,
};

/** Table 2: critics alone, from the first step. */
export const withoutSds: Ablation = {
  title: "w/o SDS",
  changes: { terms: ["genEdit", "genVideo"] },
  paper: 85.7,
};

/** Table 2: score distillation alone, to the last step. */
export const withoutCritics: Ablation = {
  title: "w/o discriminators",
  changes: { terms: ["sdsEdit", "sdsVideo"] },
  paper: 80.8,
};

/** Table 2: always the same k times. */
export const withoutKBin: Ablation = {
  title: "w/o K-Bin",
  changes: { kBin: { times: "fixed" } },
  paper: 53,
};

/** Ours: nothing that judges video. */
export const editTeacherAlone: Ablation = {
  title: "edit teacher alone",
  changes: { terms: ["sdsEdit", "genEdit"] },
  paper: null,
};

/** Ours: nothing that judges edits. */
export const videoTeacherAlone: Ablation = {
  title: "video teacher alone",
  changes: { terms: ["sdsVideo", "genVideo"] },
  paper: null,
};

/** Ours: score distillation by the video teacher alone, both critics. */
export const withoutEditSds: Ablation = {
  title: "w/o edit SDS",
  changes: { terms: ["sdsVideo", "genEdit", "genVideo"] },
  paper: null,
};

/** Ours: score distillation by the edit teacher alone, both critics. */
export const withoutVideoSds: Ablation = {
  title: "w/o video SDS",
  changes: { terms: ["sdsEdit", "genEdit", "genVideo"] },
  paper: null,
};

/** Ours: a LoRA alone, as in the paper; the video adapter is heard as it was trained. */
export const withoutStrengths: Ablation = {
  title: "w/o learned strengths",
  changes: { strengthRate: 0 },
  paper: null,
};

/** The names that commands know the rows by, in the order of the table. */
export const ABLATION_NAMES = [
  "full",
  "random-init",
  "no-alignment",
  "no-sds",
  "no-critics",
  "no-k-bin",
  "edit-teacher-alone",
  "video-teacher-alone",
  "no-sds-edit",
  "no-sds-video",
  "no-strengths",
] as const;
/** The name of a row. */
export type AblationName = (typeof ABLATION_NAMES)[number];

/** All rows. */
export const ABLATIONS: Readonly<Record<AblationName, Ablation>> = {
  full,
  "random-init": randomInit,
  "no-alignment": withoutAlignment,
  "no-sds": withoutSds,
  "no-critics": withoutCritics,
  "no-k-bin": withoutKBin,
  "edit-teacher-alone": editTeacherAlone,
  "video-teacher-alone": videoTeacherAlone,
  "no-sds-edit": withoutEditSds,
  "no-sds-video": withoutVideoSds,
  "no-strengths": withoutStrengths,
};

/**
 * Which row is to come out better than which, by Table 2: the whole than every other; then without critics, then without
 * SDS and without alignment, then from nothing. The gain of K-bin is small there; it is reported whatever it is here. Ours:
 * the whole than a LoRA alone.
 */
export const EXPECTED_ORDER: readonly (readonly [better: AblationName, worse: AblationName])[] = [
  ["full", "no-critics"],
  ["full", "no-sds"],
  ["full", "no-alignment"],
  ["full", "random-init"],
  ["full", "no-k-bin"],
  ["full", "no-strengths"],
  ["no-critics", "no-sds"],
  ["no-critics", "no-alignment"],
  ["no-sds", "random-init"],
  ["no-alignment", "random-init"],
];

/** A distillation stage with what an ablation changes; its other settings are the stage's own. */
export function withAblation(entry: StageEntry, name: AblationName): StageEntry {
  const { changes } = ABLATIONS[name];
  if (changes === null) {
    throw new UserError(
      `the ablation ${name} trains nothing: it is the method stacked of "./eve evaluate world"`,
    );
  }
  return withSettings(entry, changes);
}
