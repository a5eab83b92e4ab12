import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { DataError, UserError } from "../engine/errors.ts";
import { gitHash, versions } from "../engine/provenance.ts";
import { replaceFile } from "../engine/replace-file.ts";
import { hasCheckpoint } from "./checkpoint.ts";
import { AskedSteps, configHash, decisiveDifferences, TrainConfig } from "./config.ts";

const ConfigFile = z.object({
  stage: z.string(),
  config: TrainConfig,
  /** In order; runs that were never asked for another number have none. */
  asked: z.array(AskedSteps).optional(),
  configHash: z.string().optional(),
});

/** What a run does, as `config.json` tells it. */
export interface RunDescription {
  readonly stage: string;
  readonly config: TrainConfig;
  readonly asked: readonly AskedSteps[];
  /**
   * What stands for the settings: the hash that the run began with, which its checkpoints hold. What is hashed has changed
   * since the first runs.
   */
  readonly configHash: string;
}

/**
 * The run that `stage` does in `path` with `config`, as far as it was asked for; refuses to continue one of another stage or
 * other settings. A run that has left nothing to continue from begins anew.
 */
export function describeRun(path: string, stage: string, config: TrainConfig): RunDescription {
  const fresh = { stage, config, asked: [], configHash: configHash(config) };
  const file = configPath(path);
  if (!existsSync(file)) return fresh;
  const before = readConfigFile(file);
  if (before.stage !== stage) {
    throw new UserError(`${file} is of stage ${before.stage}, not ${stage}: choose another --out`);
  }
  const differences = decisiveDifferences(before.config, config);
  if (differences.length === 0) {
    const { asked = [{ from: 0, steps: before.config.steps }] } = before;
    return { ...fresh, asked, configHash: before.configHash ?? fresh.configHash };
  }
  if (!hasCheckpoint(path) && !existsSync(join(path, "receipt.json"))) return fresh;
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
export function writeConfig(directory: string, run: RunDescription): void {
  const { stage, config, asked } = run;
  const content = {
    stage,
    config,
    ...(asked.length > 1 && { asked }),
    configHash: run.configHash,
    gitHash: gitHash(),
    versions: versions(),
  };
  replaceFile(configPath(directory), `${JSON.stringify(content, null, 2)}\n`);
}
