import { zeroInit } from "../../nn/init.ts";
import type { Module } from "../../nn/module.ts";
import { modulesOf } from "../../nn/module-map.ts";
import { Transformer } from "./transformer.ts";

/**
 * Lets the transformers that `network` has grown since its weights were saved begin silent: it is still what it was.
 *
 * `known` holds the names of the weights that were there; a transformer without its last layer among them adds nothing until
 * it is trained.
 */
export function silenceGrown(network: Module, known: ReadonlySet<string>): void {
  for (const [path, { projOut }] of modulesOf(network, Transformer)) {
    if (!known.has(`${path}.projOut.weight`)) zeroInit(projOut);
  }
}
