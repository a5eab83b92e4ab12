// Networks of full width on noise that any language computes alike, and the memory of the process.
import { readFileSync, writeFileSync } from "node:fs";
import { returnFreedMemory } from "../src/engine/freed-memory.ts";
import { persist, scoped, tensorScope } from "../src/engine/scope.ts";
import { Tensor } from "../src/engine/tensor.ts";
import { unallocated } from "../src/nn/init.ts";
import type { Module } from "../src/nn/module.ts";
import { FramePositions } from "../src/models/motion/frame-positions.ts";
import {
  adoptPublicWeights,
  publicWeights,
  type PublicLayout,
} from "../src/models/public-weights/layout.ts";
import { UNET_LAYOUT } from "../src/models/unet/weights.ts";

const NOISE = 1_048_583;

/** Values in [−1, 1) that any language computes alike. */
function noise(): Tensor {
  // products stay below 2^53
  const mixed = (place: number): number => (place * 2_654_435_761) % 4_294_967_291;
  const fold = (m: number): number => (m * (m % 65_537)) % 65_536;
  return persist(
    Tensor.from(
      Float32Array.from({ length: NOISE }, (_, place) => fold(mixed(place)) / 32_768 - 1),
      [NOISE],
    ),
  );
}

let source: Tensor | undefined;

/** `shape` of that noise, from place `offset` on; all of it where the first was made. */
export function noisy(shape: readonly number[], offset = 0): Tensor {
  const values = (source ??= noise());
  const count = shape.reduce((product, length) => product * length, 1);
  const repeats = Math.floor((offset + count) / NOISE) + 1;
  const repeated =
    repeats > 1
      ? Tensor.cat(
          Array.from({ length: repeats }, () => values),
          0,
        )
      : values;
  return repeated.narrow(0, offset, count).reshape(shape);
}

export type Precision = "float32" | "bfloat16" | "float16";

/** Uniform of variance 1/fan-in for matrices and convolutions, ones for norm weights, zeros for biases. */
function weightOf(name: string, shape: readonly number[], precision: Precision): Tensor {
  const [outputs = 1, width = 1, channels = 1] = shape;
  if (name.endsWith(".pe")) return new FramePositions(width, channels).pe;
  if (shape.length === 1) return Tensor.full(shape, name.endsWith("weight") ? 1 : 0);
  const count = shape.reduce((product, length) => product * length, 1);
  const spread = noisy(shape, name.length * 7919).mul(Math.sqrt((3 * outputs) / count));
  return spread.to(precision);
}

/** A network with matrices of noise in the precision that is computed in. */
export function fullWidth<Network extends Module>(
  make: () => Network,
  precision: Precision,
  layout: PublicLayout = UNET_LAYOUT,
): Network {
  const network = unallocated(make);
  using _ = tensorScope();
  const weights = [...publicWeights(network, layout)].map(
    ([name, { shape }]) => [name, scoped(() => weightOf(name, shape, precision))] as const,
  );
  adoptPublicWeights(network, new Map(weights), layout, { what: "the noise" });
  return network;
}

/** Memory of the process in bytes: now (`VmRSS`), or at most since `forgetPeak` (`VmHWM`). */
export function processBytes(field: "VmRSS" | "VmHWM"): number {
  const line = readFileSync("/proc/self/status", "utf8").match(new RegExp(`${field}:\\s+(\\d+)`));
  return Number(line?.[1]) * 1024;
}

/** The most memory of the process during `work`, in bytes beyond what it held before. */
export function peakDuring(work: () => void): number {
  returnFreedMemory();
  forgetPeak();
  const before = processBytes("VmRSS");
  work();
  return processBytes("VmHWM") - before;
}

/** Lets the next peak count from now on. */
export function forgetPeak(): void {
  writeFileSync("/proc/self/clear_refs", "5");
}
