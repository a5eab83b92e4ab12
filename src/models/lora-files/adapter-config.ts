import { z } from "zod";
import { DataError } from "../../engine/errors.ts";

/** The key of a LoRA file's metadata under which diffusers keeps PEFT's settings, as JSON. */
export const METADATA_KEY = "lora_adapter_metadata";

const numbers = z.record(z.string(), z.number()).nullish();

/** PEFT's settings of one adapter (`LoraConfig`), as far as they change the mathematics; its defaults are PEFT's. */
export const AdapterConfig = z.looseObject({
  peft_type: z.string().nullish(),
  r: z.int().positive().default(8),
  lora_alpha: z.number().default(8),
  rank_pattern: numbers,
  alpha_pattern: numbers,
  use_rslora: z.boolean().nullish(),
  use_dora: z.boolean().nullish(),
});
export type AdapterConfig = z.infer<typeof AdapterConfig>;

/** Checks PEFT's settings, found at `where`; refuses those that no plain LoRA has. */
export function parseAdapterConfig(json: unknown, where: string): AdapterConfig {
  const parsed = AdapterConfig.safeParse(json);
  if (!parsed.success)
    throw new DataError(`${where} holds no settings of a LoRA: ${z.prettifyError(parsed.error)}`);
  const { peft_type: type, use_dora: isDora, alpha_pattern: alphas } = parsed.data;
  const kind = isDora ? "DORA" : (type ?? "LORA");
  if (kind !== "LORA") throw new DataError(`${where} is of kind ${kind}: only LoRA can be read`);
  const pattern = Object.keys(alphas ?? {}).find((key) => !/^\^?[\w.-]+$/.test(key));
  if (pattern !== undefined)
    throw new DataError(`${where}: expected names of layers in alpha_pattern, got "${pattern}"`);
  return parsed.data;
}

/** The settings of one component in a file's metadata, where keys begin with its name; null where there are none. */
export function componentConfig(
  metadata: Readonly<Record<string, string>>,
  component: string,
  path: string,
): AdapterConfig | null {
  const text = metadata[METADATA_KEY];
  if (text === undefined) return null;
  const where = `${METADATA_KEY} of ${path}`;
  const all = z.record(z.string(), z.unknown()).safeParse(parseJson(text, where));
  if (!all.success) throw new DataError(`${where}: expected an object, got ${text.slice(0, 50)}`);
  const own = Object.entries(all.data).filter(([key]) => key.startsWith(`${component}.`));
  if (own.length === 0) return null;
  const fields = own.map(([key, value]) => [key.slice(component.length + 1), value] as const);
  return parseAdapterConfig(Object.fromEntries(fields), where);
}

/** JSON read from `where`, which an error names. */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${where}: expected JSON, got text that is not`, { cause });
  }
}

/**
 * The alpha by which an update of inner width `rank` is scaled as alpha / rank.
 *
 * Keys of `alpha_pattern` name a layer or the end of its name; rank-stabilised LoRA divides by √rank instead.
 */
export function alphaOf(config: AdapterConfig, layer: string, rank: number): number {
  const own = Object.entries(config.alpha_pattern ?? {}).find(([key]) => {
    if (key.startsWith("^")) return layer === key.slice(1);
    return layer === key || layer.endsWith(`.${key}`);
  });
  const alpha = own?.[1] ?? config.lora_alpha;
  return config.use_rslora ? alpha * Math.sqrt(rank) : alpha;
}

/** How one layer is adapted, under its public name. */
export interface LayerSettings {
  readonly name: string;
  readonly rank: number;
  readonly alpha: number;
}

/**
 * PEFT's settings of an adapter of `layers`; `modules` are the names of all parts of the network.
 *
 * The commonest rank and alpha are said once, the others layer by layer.
 */
export function adapterConfig(layers: readonly LayerSettings[], modules: ReadonlySet<string>) {
  const r = commonest(layers.map(({ rank }) => rank));
  const alpha = commonest(layers.map((layer) => layer.alpha));
  const others = (value: (layer: LayerSettings) => number, common: number) =>
    Object.fromEntries(
      layers.filter((layer) => value(layer) !== common).map((layer) => [layer.name, value(layer)]),
    );
  return {
    alpha_pattern: others((layer) => layer.alpha, alpha),
    lora_alpha: alpha,
    peft_type: "LORA",
    r,
    rank_pattern: others(({ rank }) => rank, r),
    target_modules: shortestTargets(new Set(layers.map(({ name }) => name)), modules),
  } as const;
}

function commonest(values: readonly number[]): number {
  const counts = Map.groupBy(values, (value) => value);
  return [...counts].reduce((most, next) => (next[1].length > most[1].length ? next : most))[0];
}

/** The fewest last words that say which of `modules` are adapted and name no other: `to_q` rather than forty paths. */
function shortestTargets(adapted: ReadonlySet<string>, modules: ReadonlySet<string>): string[] {
  const ends = new Map<string, boolean>();
  const namesOnlyAdapted = (end: string): boolean => {
    const known = ends.get(end);
    if (known !== undefined) return known;
    const named = [...modules].filter((name) => name === end || name.endsWith(`.${end}`));
    const result = named.every((name) => adapted.has(name));
    ends.set(end, result);
    return result;
  };
  const targets = [...adapted].map((name) => {
    const words = name.split(".");
    const candidates = words.map((_, i) => words.slice(words.length - 1 - i).join("."));
    return candidates.find((end) => !/^\d/.test(end) && namesOnlyAdapted(end)) ?? name;
  });
  return [...new Set(targets)].toSorted();
}
