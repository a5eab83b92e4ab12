import { Module } from "./module.ts";

/**
 * Modules by the dotted path of the layer each belongs to: how an adapter holds one part per layer.
 *
 * Its parameters are named `<path>.<field>`, as those of the network it adapts are.
 */
export class ModuleMap<T extends Module> extends Module {
  readonly #modules: ReadonlyMap<string, T>;

  constructor(modules: ReadonlyMap<string, T>) {
    super();
    this.#modules = modules;
    // own fields, so that reflection finds the parameters under their paths
    Object.assign(this, Object.fromEntries(modules));
  }

  /** The part of the layer at `path`; undefined where it has none. */
  get(path: string): T | undefined {
    return this.#modules.get(path);
  }

  /** Paths with their parts, in the order in which they were given. */
  entries(): Iterable<[path: string, module: T]> {
    return this.#modules.entries();
  }

  /** Number of layers that have a part. */
  get size(): number {
    return this.#modules.size;
  }
}

/** The dotted paths under which `wanted` are parts of `root`, in declaration order. */
export function pathsAmong(root: Module, wanted: ReadonlySet<Module>): string[] {
  return [...modulesOf(root, Module)].flatMap(([path, part]) => (wanted.has(part) ? [path] : []));
}

/** Every part of `root` that is a `Kind`, by its dotted path of fields, in declaration order. */
export function modulesOf<T extends Module>(
  root: Module,
  Kind: abstract new (...args: never[]) => T,
): Map<string, T> {
  const found = new Map<string, T>();
  const visit = (value: unknown, path: string): void => {
    if (value instanceof Kind) found.set(path, value);
    if (!(value instanceof Module) && !Array.isArray(value)) return;
    for (const [key, child] of Object.entries(value)) visit(child, path ? `${path}.${key}` : key);
  };
  visit(root, "");
  return found;
}
