import { Rng } from "../../src/engine/random.ts";

/** A source of zeros: builds a full-size network for a test of its names without drawing its weights. */
export class BlankRng extends Rng {
  constructor() {
    super(0, 0);
  }
  override split(): this {
    return this;
  }
  override uniforms(count: number): Float32Array {
    return new Float32Array(count);
  }
  override normals(count: number): Float32Array {
    return new Float32Array(count);
  }
}
