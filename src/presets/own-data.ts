import { dataDigest, readPreparedData } from "../data/inputs/prepared-items.ts";
import { modelPath } from "../editing/settings/model-path.ts";
import { unknownWordsWarning } from "../editing/settings/unknown-words.ts";
import { UserError } from "../engine/errors.ts";
import { ModelFolder } from "../eve/model/model-folder.ts";
import { loadTokenizer } from "../models/text-encoder/tokenizer.ts";
import type { TrainConfig } from "../training/config.ts";
import type { StageEntry } from "../training/stage.ts";
import { DistillationSettings } from "../training/stages/distillation-settings.ts";
import { withSettings } from "./changed-settings.ts";

/** The distillation on a data set of one's own: all of its inputs, and no others if the run is continued. */
export function withData(entry: StageEntry, data: string): StageEntry {
  return withSettings(entry, { data, dataDigest: dataDigest(data), items: null });
}

/** What is to be said of the data before a distillation: words that the model never learned. */
export function dataWarnings(config: TrainConfig): string[] {
  const { data, held, model } = DistillationSettings.parse(config.stage);
  if (data === null) return [];
  const { train } = readPreparedData(data, held);
  const folder = new ModelFolder(modelPath(model));
  folder.require("text-encoder");
  const tokenizer = loadTokenizer(folder.partPath("text-encoder"));
  const counts = new Map<string, number>();
  for (const { instruction, outputCaption } of train)
    for (const word of tokenizer.unknownWords(`${instruction} ${outputCaption}`))
      counts.set(word, (counts.get(word) ?? 0) + 1);
  const words = [...counts].toSorted(([, a], [, b]) => b - a).map(([word]) => word);
  const warning = unknownWordsWarning(words);
  return warning === undefined ? [] : [`in ${data}, ${warning}`];
}

/** Throws a UserError where a run that names its data finds other data. */
export function requireDigest(folder: string, found: string, wanted: string | null): void {
  if (wanted === null || wanted === found) return;
  throw new UserError(
    `the data set in ${folder} has changed since this run was set up (${wanted}, now ${found}): start another run with another --out`,
  );
}
