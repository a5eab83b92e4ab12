import { door } from "./native.ts";

/**
 * Hands memory that freed tensors left behind back to the system.
 *
 * It is kept otherwise, for the next step's tensors. Worth it where much was freed once for all, as when a model has been
 * opened; the first step behind it takes some of that memory anew.
 */
export function returnFreedMemory(): void {
  door().returnFreedMemory();
}
