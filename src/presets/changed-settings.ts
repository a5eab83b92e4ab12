import { isRecord } from "../engine/json.ts";
import type { TrainConfigInput } from "../training/config.ts";
import type { StageEntry } from "../training/stage.ts";

/** Settings of a stage. */
export type StageSettings = NonNullable<TrainConfigInput["stage"]>;

/** A stage with other settings of its own; of a group of them only those that change. */
export function withSettings(entry: StageEntry, changes: StageSettings): StageEntry {
  return { ...entry, config: { ...entry.config, stage: changed(entry.config.stage, changes) } };
}

function changed(settings: StageSettings = {}, changes: StageSettings): StageSettings {
  const groups = Object.entries(changes).map(([name, change]) => {
    const before = settings[name];
    return [name, isRecord(before) && isRecord(change) ? { ...before, ...change } : change];
  });
  return { ...settings, ...Object.fromEntries(groups) };
}
