import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import type { z } from "zod";
import { firstFault } from "../../engine/config.ts";
import { ConfigError, DataError, UserError } from "../../engine/errors.ts";
import { loadSafetensors, readHeader, saveSafetensors } from "../../engine/safetensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { isOfDecoder } from "../../models/vae/autoencoder.ts";
import {
  copyParameters,
  fitFaults,
  refuseFaults,
  type Module,
  type Parameters,
} from "../../nn/module.ts";
import { ModelDescription } from "./model-description.ts";

/**
 * The parts of a model, in the order in which they are trained.
 *
 * `detail-gates` gives edited pictures back what they should have kept. `vision` is what the critics of distillation see
 * with, and no part of an editor; `alignment` is what distillation trains. Style and subject adapters, each with an alignment
 * of its own with the edit adapter, are other combinations (§4.4).
 */
export const PARTS = [
  "autoencoder",
  "text-encoder",
  "backbone",
  "edit-adapter",
  "video-adapter",
  "detail-gates",
  "vision",
  "alignment",
  "style-adapter",
  "style-alignment",
  "subject-adapter",
  "subject-alignment",
] as const;
/** The name of a part, which is that of its folder. */
export type Part = (typeof PARTS)[number];

/** The parts that an edit depends on. */
export const EDITING_PARTS: readonly Part[] = [
  "autoencoder",
  "text-encoder",
  "backbone",
  "edit-adapter",
  "video-adapter",
  "alignment",
  "detail-gates",
];

/** What distillation trains. */
export type AlignmentName = Extract<Part, "alignment" | `${string}-alignment`>;
/** Adapters by which the backbone draws a look of its own (§4.4). */
export type LookPart = "style-adapter" | "subject-adapter";

/** The frozen parts that both teachers consist of: what an alignment belongs to. */
export const TEACHER_PARTS: Readonly<Record<AlignmentName, readonly Part[]>> = {
  alignment: ["backbone", "edit-adapter", "video-adapter"],
  "style-alignment": ["backbone", "edit-adapter", "style-adapter"],
  "subject-alignment": ["backbone", "edit-adapter", "subject-adapter"],
};

/** The command that makes a part. */
function commandFor(part: Part): string {
  if (part === "style-alignment") return "./eve distill --combine style:line-art";
  if (part === "subject-alignment") return "./eve distill --combine subject:toy-robot";
  return part === "alignment" ? "./eve distill" : `./eve train ${part}`;
}

/** What is kept of a part: everything needed to build it, and how it came to be. */
export interface PartContent {
  /** The network's config, as JSON. */
  readonly config: unknown;
  readonly weights: Parameters;
  /** The training's receipt, as JSON; absent where the part was not trained. */
  readonly receipt?: unknown;
  /** Further files to copy into the part's folder. */
  readonly files?: readonly string[];
}

/** Folders of parts that do not lie in the model's own: another alignment of the same adapters. */
export type PartsElsewhere = Readonly<Partial<Record<Part, string>>>;

/**
 * A model on disk: one folder a part, each with `config.json`, `weights.safetensors` and `receipt.json`.
 *
 * Nothing but JSON and safetensors is read.
 */
export class ModelFolder {
  readonly path: string;
  readonly #elsewhere: PartsElsewhere;

  constructor(path: string, elsewhere: PartsElsewhere = {}) {
    this.path = path;
    this.#elsewhere = elsewhere;
  }

  /** The folder of one part. */
  partPath(part: Part): string {
    return this.#elsewhere[part] ?? join(this.path, part);
  }

  /** Whether the part is there, as its config tells. */
  has(part: Part): boolean {
    return existsSync(join(this.partPath(part), "config.json"));
  }

  /** Throws one sentence that names the first part that is not there. */
  require(...parts: readonly Part[]): void {
    const missing = parts.find((part) => !this.has(part));
    if (missing === undefined) return;
    const sentence = existsSync(this.path) ? `has no ${missing}` : "does not exist";
    throw new UserError(
      `expected a model with ${parts.join(", ")} in ${this.path}, which ${sentence}: train it with "${commandFor(missing)}"`,
    );
  }

  /** What `model.json` says. */
  description(): ModelDescription {
    const path = join(this.path, "model.json");
    if (!existsSync(path))
      throw new UserError(`expected a model in ${this.path}, found no model.json there`);
    return described(path, ModelDescription, "model");
  }

  /**
   * Writes `model.json`; a folder that holds a model of another description is refused. One that is there stays, and with
   * it how that model is sampled.
   */
  describe(description: ModelDescription): void {
    mkdirSync(this.path, { recursive: true });
    const path = join(this.path, "model.json");
    if (!existsSync(path)) {
      writeFileSync(path, `${JSON.stringify(description, null, 2)}\n`);
      return;
    }
    const [found, wanted] = [this.description(), ModelDescription.parse(description)].map((of) =>
      JSON.stringify({ ...of, sampling: null }),
    );
    if (found !== wanted)
      throw new UserError(`${this.path} holds a model of another kind: choose another folder`);
  }

  /** SHA-256 over all that decides what `parts` compute in an edit: `model.json`, their configs and weights, in their order. */
  identity(parts: readonly Part[]): string {
    const configs = parts.map((part) => readJson(join(this.partPath(part), "config.json")));
    return createHash("sha256")
      .update(JSON.stringify([this.description(), ...configs]))
      .update(this.hash(parts))
      .digest("hex");
  }

  /** SHA-256 over the weight files of `parts`, in their order. */
  hash(parts: readonly Part[]): string {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(readFileSync(this.weightsPath(part)));
    return hash.digest("hex");
  }

  /** The part's config, checked by its schema. */
  config<Schema extends z.ZodType>(part: Part, schema: Schema): z.output<Schema> {
    this.require(part);
    return described(join(this.partPath(part), "config.json"), schema, part);
  }

  /** The receipt of the part's training, as JSON; undefined where it came without. */
  receipt(part: Part): unknown {
    const path = join(this.partPath(part), "receipt.json");
    return existsSync(path) ? readJson(path) : undefined;
  }

  /**
   * As `loadWeights`, for a module that may have grown since: weights that the part lacks stay as they are. Returns the names
   * of those it has.
   */
  continueFrom(part: Part, module: Module): ReadonlySet<string> {
    using _ = tensorScope();
    this.require(part);
    const path = this.weightsPath(part);
    const stored = loadSafetensors(path);
    const known = [...module.parameters()].filter(([name]) => stored.has(name));
    copyParameters(new Map(known), stored, path);
    return new Set(known.map(([name]) => name));
  }

  /**
   * Refuses a part of which `build` cannot make a network, and weights of other names or shapes than that has, which are
   * read from the head of their file alone.
   */
  requireFit(part: Part, build: () => Pick<Module, "parameters">): void {
    const path = this.#existingWeights(part);
    refuseFaults(fitFaults(this.#built(part, build).parameters(), readHeader(path).tensors), path);
  }

  #built<T>(part: Part, build: () => T): T {
    try {
      return build();
    } catch (cause) {
      if (!(cause instanceof ConfigError)) throw cause;
      throw new DataError(`${join(this.partPath(part), "config.json")}: ${cause.message}`, {
        cause,
      });
    }
  }

  /** Overwrites the weights of `module` with the part's. */
  loadWeights(part: Part, module: Pick<Module, "parameters">): void {
    using _ = tensorScope();
    copyParameters(module.parameters(), this.weights(part), this.weightsPath(part));
  }

  /** The weights of the part by name, as they are stored; they belong to the innermost scope. */
  weights(part: Part): ReadonlyMap<string, Tensor> {
    return loadSafetensors(this.#existingWeights(part));
  }

  #existingWeights(part: Part): string {
    const path = this.weightsPath(part);
    if (existsSync(path)) return path;
    throw new DataError(`expected the weights of the ${part} at ${path}, found no file`);
  }

  /** Where the weights of the part lie. */
  weightsPath(part: Part): string {
    return join(this.partPath(part), "weights.safetensors");
  }

  /** Writes a part, weights in float16, in place of an older one; the old one stays until the new is whole. */
  savePart(part: Part, content: PartContent): void {
    const target = this.partPath(part);
    const partial = `${target}.partial-${process.pid}`;
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true });
    try {
      writePart(partial, part, content);
    } catch (error) {
      rmSync(partial, { recursive: true });
      throw error;
    }
    rmSync(target, { recursive: true, force: true });
    renameSync(partial, target);
  }
}

function writePart(
  folder: string,
  part: Part,
  { config, weights, receipt, files = [] }: PartContent,
): void {
  writeJson(join(folder, "config.json"), config);
  if (receipt !== undefined) writeJson(join(folder, "receipt.json"), receipt);
  for (const file of files) cpSync(file, join(folder, basename(file)));
  saveSafetensors(join(folder, "weights.safetensors"), weights, {
    metadata: { part },
    dtype: "float16",
  });
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** What the file at `path` says, checked by the schema of what it is to describe. */
function described<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  what: string,
): z.output<Schema> {
  const parsed = schema.safeParse(readJson(path));
  if (parsed.success) return parsed.data;
  throw new DataError(
    `${path} describes no ${what} that this version knows: ${firstFault(parsed.error)}`,
  );
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new DataError(`expected JSON in ${path}: the file is damaged`, { cause });
  }
}

/** Identifies what makes latents of pictures: the autoencoder's config and its weights, but for the decoder's. */
export function autoencoderHash(folder: ModelFolder): string {
  using _ = tensorScope();
  const hash = createHash("sha256").update(
    JSON.stringify(readJson(join(folder.partPath("autoencoder"), "config.json"))),
  );
  for (const [name, weight] of folder.weights("autoencoder"))
    if (!isOfDecoder(name)) hash.update(name).update(new Uint8Array(weight.toBytes()));
  return hash.digest("hex").slice(0, 12);
}
