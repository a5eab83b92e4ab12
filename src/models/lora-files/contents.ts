import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DataError } from "../../engine/errors.ts";
import {
  readHeader,
  type SafetensorsHeader,
  type TensorEntry,
} from "../../engine/safetensors-header.ts";
import { readScalar } from "../../engine/safetensors-values.ts";
import {
  alphaOf,
  componentConfig,
  parseAdapterConfig,
  parseJson,
  type AdapterConfig,
} from "./adapter-config.ts";
import { parseName, type Component, type Dialect, type ParsedName } from "./names.ts";

/** The update of one layer as a file holds it. */
export interface LoraLayer {
  readonly component: Component;
  /** The layer's name in the file: with dots, or with underscores for all of them. */
  readonly name: string;
  /** Names of the tensors A, `[r in …]`, and B, `[out r …]`. */
  readonly down: string;
  readonly up: string;
  readonly rank: number;
  /** The update is scaled by alpha / rank; where the file is silent, by one. */
  readonly alpha: number;
  readonly isConvolution: boolean;
}

/** What is in a LoRA file, by its head alone. */
export interface LoraContents {
  readonly path: string;
  readonly dialects: readonly Dialect[];
  readonly layers: readonly LoraLayer[];
  /** Tensors that belong to adapters of other mathematics, by what those are called. */
  readonly others: ReadonlyMap<string, readonly string[]>;
  /** Tensors whose names say nothing or repeat another's, and halves of updates without the other half. */
  readonly unknown: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** What the prefix of a component is in diffusers' files and metadata. */
export const PREFIXES: Readonly<Record<Component, string>> = {
  unet: "unet",
  textEncoder: "text_encoder",
};

/** Names that one sentence tells at most. */
const MOST_LISTED = 6;

/** Whether a file with tensors of these names is an adapter: a LoRA, or one of the kinds that are refused. */
export function isLoraFile(names: Iterable<string>): boolean {
  return [...names].some((name) => !["unknown", "alpha"].includes(parseName(name).type));
}

/**
 * Reads what a LoRA file holds, without the engine: names, shapes, ranks and alphas, no weights.
 *
 * Alphas come from the file's own tensors (zero counts as none), else from diffusers' metadata, else from the
 * `adapter_config.json` that PEFT puts beside its files. DataError where those are damaged.
 */
export function readLoraContents(path: string): LoraContents {
  const header = readHeader(path);
  const parsed = [...header.tensors.keys()].map((name) => Object.assign({ name }, parseName(name)));
  const { parts, repeated } = partsByLayer(parsed);
  const dialects = [...new Set([...parts.values()].map(({ dialect }) => dialect))];
  const configs = configReader(path, header, dialects);
  const whole = [...parts.values()].filter(isWhole);
  const halves = [...parts.values()].filter((part) => !isWhole(part));
  return {
    path,
    dialects,
    layers: whole.map((part) => layerOf(part, header, path, configs)),
    others: namesByKind(parsed),
    unknown: [
      ...parsed.filter(({ type }) => type === "unknown").map(({ name }) => name),
      ...repeated,
      ...halves.flatMap(({ down, up, alpha }) => [down, up, alpha].filter((n) => n !== undefined)),
    ],
    metadata: header.metadata,
  };
}

type Named = { readonly name: string } & ParsedName;

interface Part {
  readonly component: Component;
  readonly layer: string;
  readonly dialect: Dialect;
  down?: string;
  up?: string;
  alpha?: string;
}

type WholePart = Part & { readonly down: string; readonly up: string };

function isWhole(part: Part): part is WholePart {
  return part.down !== undefined && part.up !== undefined;
}

/** What belongs together, by layer; names that say what another has said already are `repeated`. */
function partsByLayer(parsed: readonly Named[]): {
  readonly parts: ReadonlyMap<string, Part>;
  readonly repeated: readonly string[];
} {
  const parts = new Map<string, Part>();
  const repeated: string[] = [];
  const placed = parsed.filter((entry) => "layer" in entry);
  // alphas last: their names do not say which dialect they are of
  const sorted = placed.toSorted((a, b) => Number(a.type === "alpha") - Number(b.type === "alpha"));
  for (const { name, type, component, layer, dialect } of sorted) {
    const key = `${component}.${layer}`;
    const part = parts.get(key) ?? { component, layer, dialect };
    if (part[type] === undefined) part[type] = name;
    else repeated.push(name);
    parts.set(key, part);
  }
  return { parts, repeated };
}

function namesByKind(parsed: readonly Named[]): Map<string, string[]> {
  const others = parsed.filter((entry) => entry.type === "other");
  const kinds = Map.groupBy(others, ({ kind }) => kind);
  return new Map([...kinds].map(([kind, entries]) => [kind, entries.map(({ name }) => name)]));
}

function layerOf(
  { component, layer: name, down, up, alpha }: WholePart,
  { tensors }: SafetensorsHeader,
  path: string,
  configs: (component: Component) => AdapterConfig | null,
): LoraLayer {
  const shape = entryOf(tensors, down).shape;
  const rank = shape[0] ?? 0;
  if (shape.length < 2 || rank === 0)
    throw new DataError(`${path}: expected ${down} as [rank inputs], got [${shape.join(" ")}]`);
  for (const tensor of [down, up]) {
    const { format } = entryOf(tensors, tensor);
    if (!/^(BF16|F16|F32|F64)$/.test(format))
      throw new DataError(`${path}: expected ${tensor} in floating point, got ${format}`);
  }
  const own = alpha === undefined ? 0 : readScalar(path, alpha, entryOf(tensors, alpha));
  if (!Number.isFinite(own))
    throw new DataError(`${path}: expected a number in ${alpha}, got ${own}`);
  const config = own === 0 ? configs(component) : null;
  const resolved = own || (config ? alphaOf(config, name, rank) : rank);
  return { component, name, down, up, rank, alpha: resolved, isConvolution: shape.length > 2 };
}

function entryOf(tensors: ReadonlyMap<string, TensorEntry>, name: string): TensorEntry {
  return tensors.get(name)!;
}

/** Settings by component, each looked up once; PEFT's own file beside the weights where the weights are PEFT's own. */
function configReader(
  path: string,
  { metadata }: SafetensorsHeader,
  dialects: readonly Dialect[],
): (component: Component) => AdapterConfig | null {
  const read = (component: Component): AdapterConfig | null => {
    const inside = componentConfig(metadata, PREFIXES[component], path);
    const beside = join(dirname(path), "adapter_config.json");
    if (inside || !dialects.includes("PEFT") || !existsSync(beside)) return inside;
    return parseAdapterConfig(parseJson(readFileSync(beside, "utf8"), beside), beside);
  };
  const found = new Map<Component, AdapterConfig | null>();
  return (component) => {
    const config = found.get(component);
    if (config !== undefined) return config;
    const fresh = read(component);
    found.set(component, fresh);
    return fresh;
  };
}

/** Names that a sentence tells: the first few, and how many more. */
export function listed(names: readonly string[]): string {
  const [most, rest] = [names.slice(0, MOST_LISTED), names.length - MOST_LISTED];
  return rest > 0 ? `${most.join(", ")} and ${rest} more` : most.join(", ");
}

/** What is wrong with a file that holds something besides plain low-rank updates, or none, in one sentence. */
export function faultOf({ path, layers, others, unknown }: LoraContents): string | null {
  if (others.size > 0) {
    const kinds = [...others.keys()].join(" and ");
    const example = others.values().next().value?.[0] ?? "";
    return `${path} is an adapter of the kind ${kinds} (${example}), and only plain LoRA can be read`;
  }
  if (unknown.length > 0) {
    return (
      `${path}: expected names, in pairs, that PEFT, diffusers or kohya give to a LoRA of a U-Net or CLIP's text ` +
      `encoder, not these (${unknown.length}): ${listed(unknown)}`
    );
  }
  return layers.length === 0 ? `${path} holds no LoRA` : null;
}
