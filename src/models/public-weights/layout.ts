import { defaultDevice } from "../../engine/device.ts";
import type { DType } from "../../engine/dtype.ts";
import { scoped } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import {
  adoptParameters,
  copyParameters,
  fitFaults,
  listFault,
  refuseFaults,
  type Module,
  type Parameters,
} from "../../nn/module.ts";

/** How the tensors of one kind of public checkpoint correspond to a network's weights, one to one. */
export interface PublicLayout {
  /** The public name of a weight, given our path of fields. */
  readonly publicName: (parameter: string) => string;
  /** The public name of a tensor that some files have under another. Default: the name itself. */
  readonly usualName?: (name: string) => string;
  /** The tensor in its usual shape, where some files have another; `name` is the usual one. Default: the tensor itself. */
  readonly usualShape?: (name: string, weight: Tensor) => Tensor;
  /** Whether a tensor is a buffer that no network here reads, e.g. the positions 0, 1, 2, …. */
  readonly isIgnored?: (name: string) => boolean;
}

/** A path of our fields in snake case, as public names are written: `toOut` is `to_out`. */
export function snakeCase(parameter: string): string {
  return parameter.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The weights of `network` under their public names. */
export function publicWeights(network: Module, { publicName }: PublicLayout): Parameters {
  return new Map([...network.parameters()].map(([name, weight]) => [publicName(name), weight]));
}

/** Overwrites the weights of `network` with a public checkpoint's; `what` names the checkpoint in errors. */
export function copyPublicWeights(
  network: Module,
  source: ReadonlyMap<string, Tensor>,
  layout: PublicLayout,
  what: string,
): void {
  const { weights, faults } = readSource(source, layout);
  refuseFaults(faults, what);
  copyParameters(publicWeights(network, layout), weights, what);
}

/** How a frozen network holds its matrices: in their file's data type (`stored`), or converted on loading. */
export type WeightType = "stored" | Extract<DType, "float16" | "bfloat16" | "float32">;

/** How `adoptPublicWeights` takes tensors over. */
export interface AdoptOptions {
  /** Names the checkpoint in errors. */
  readonly what: string;
  /** Default `stored`: half precision is converted where it is used. */
  readonly weightType?: WeightType;
}

/**
 * Puts the tensors of a public checkpoint in the place of the weights of `network`, on the default device.
 *
 * Every tensor must be used exactly once: the missing, the unexpected, the misshapen and those that come twice are
 * listed in one DataError, and the network is left alone then. On the CPU, mapped tensors stay mapped, so weights take
 * memory when they are first used. Tensors of at most one axis (biases, scales) become float32: they are a thousandth of
 * the whole, and normalisation wants them so.
 */
export function adoptPublicWeights(
  network: Module,
  source: ReadonlyMap<string, Tensor>,
  layout: PublicLayout,
  { what, weightType = "stored" }: AdoptOptions,
): void {
  const { weights, faults } = readSource(source, layout);
  refuseFaults([...fitFaults(publicWeights(network, layout), weights), ...faults], what);
  const adopted = [...network.parameters().keys()].map((name) => {
    const weight = weights.get(layout.publicName(name))!;
    return [name, scoped(() => placed(weight, weightType))] as const;
  });
  adoptParameters(network, new Map(adopted), what);
}

function placed(weight: Tensor, wanted: WeightType): Tensor {
  const stored = weight.dtype === "float64" ? "float32" : weight.dtype;
  const matrixType = wanted === "stored" ? stored : wanted;
  const dtype = weight.shape.length < 2 ? "float32" : matrixType;
  return weight.toDevice(defaultDevice()).to(dtype);
}

/** The tensors of a checkpoint under their usual names and in their usual shapes, and what is wrong with them. */
function readSource(
  source: ReadonlyMap<string, Tensor>,
  { usualName = (name) => name, usualShape, isIgnored = () => false }: PublicLayout,
): { weights: ReadonlyMap<string, Tensor>; faults: string[] } {
  const weights = new Map<string, Tensor>();
  const twice: string[] = [];
  const notFloating: string[] = [];
  for (const [given, weight] of source) {
    if (isIgnored(given)) continue;
    const name = usualName(given);
    if (weights.has(name)) twice.push(`${name}, also as ${given}`);
    if (!/float/.test(weight.dtype)) notFloating.push(`${given} is ${weight.dtype}`);
    weights.set(name, usualShape?.(name, weight) ?? weight);
  }
  return {
    weights,
    faults: [...listFault("twice", twice), ...listFault("not of floating point", notFloating)],
  };
}
