import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DataError, UserError } from "../engine/errors.ts";
import { gitHash, versions } from "../engine/provenance.ts";
import { replaceFile } from "../engine/replace-file.ts";
import { AskedSteps, configHash, decisiveDifferences, TrainConfig } from "./config.ts";

const ConfigFile = z.object({
  stage: z.string(),
  config: TrainConfig,
  /** In order; runs that were never asked for another number have none. */
  asked: z.array(AskedSteps).optional(),
});

/** What a run does, as `config.json` tells it. */
export interface RunDescription {
  readonly stage: string;
  readonly config: TrainConfig;
  readonly asked: readonly AskedSteps[];
}

/** The steps that the run in `path` was asked for so far; refuses one of another stage or other settings. */
export function askedBefore(
  path: string,
  stage: string,
  config: TrainConfig,
): readonly AskedSteps[] {
  const file = configPath(path);
  const before = readConfigFile(file);
  if (before.stage !== stage) {
    throw new UserError(`${file} is of stage ${before.stage}, not ${stage}: choose another --out`);
  }
  const differences = decisiveDifferences(before.config, config);
  if (differences.length === 0) return before.asked ?? [{ from: 0, steps: before.config.steps }];
  throw new UserError(
    `${file} holds a run with other settings (${differences.join(", ")}): choose another --out, or repeat its settings`,
  );
}

/** How many steps the run in `directory` was asked for last; undefined where none has begun. */
export function stepsAskedOf(directory: string): number | undefined {
  const file = configPath(directory);
  return existsSync(file) ? readConfigFile(file).config.steps : undefined;
}

/** Where the run in `directory` keeps what it does. */
export function configPath(directory: string): string {
  return join(directory, "config.json");
}

function readConfigFile(file: string): z.infer<typeof ConfigFile> {
  try {
    return ConfigFile.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    if (!(error instanceof z.ZodError || error instanceof SyntaxError)) throw error;
    throw new DataError(
      `${file} is not the config of a run: choose another --out, or delete the directory`,
      {
        cause: error,
      },
    );
  }
}

/** Writes what a run does, with what computes it. */
export function writeConfig(directory: string, { stage, config, asked }: RunDescription): void {
  const content = {
    stage,
    config,
    ...(asked.length > 1 && { asked }),
    configHash: configHash(config),
    gitHash: gitHash(),
    versions: versions(),
  };
  replaceFile(configPath(directory), `${JSON.stringify(content, null, 2)}\n`);
}
