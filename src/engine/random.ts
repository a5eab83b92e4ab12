import { defaultDevice } from "./device.ts";
import { hashText, mix } from "./hash.ts";
import { normalsOn } from "./device-random.ts";
import { Tensor } from "./tensor.ts";

/** The high 32 bits of a 32 × 32 bit product. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + (middle >>> 16) + (carry >>> 16)) >>> 0;
}

/** Philox 4×32 with 10 rounds (Salmon et al. 2011): turns the four words of a counter into random ones, in place. */
export function philox(words: Uint32Array, key0: number, key1: number): void {
  let c0 = words[0] as number;
  let c1 = words[1] as number;
  let c2 = words[2] as number;
  let c3 = words[3] as number;
  let k0 = key0;
  let k1 = key1;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

/**
 * A source of randomness as a value: what it gives depends on its key alone, never on what was drawn before.
 *
 * Keys come from a seed and a path of purposes and indices: `rng.split("noise").split(frame)`. So noise is a
 * function of (seed, purpose, frame, step), the same on every device and for every batch, window or resume.
 */
export class Rng {
  readonly key0: number;
  readonly key1: number;

  constructor(key0: number, key1: number) {
    this.key0 = key0 >>> 0;
    this.key1 = key1 >>> 0;
  }

  /** The root for a user's seed: any integer up to 2^53. */
  static seed(seed: number): Rng {
    return new Rng(mix(seed >>> 0), mix(Math.floor(seed / 4294967296) ^ 0x5bd1e995));
  }

  /** An independent source for a purpose (a word) or an index. */
  split(purpose: string | number): Rng {
    const word =
      typeof purpose === "string" ? hashText(purpose, 0x811c9dc5) : mix(purpose ^ 0x27d4eb2f);
    return new Rng(mix(this.key0 ^ word), mix(this.key1 + Math.imul(word, 0x9e3779b1)));
  }

  /** Four words for one block of one of the streams of this source. */
  #draw(words: Uint32Array, block: number, stream: number): void {
    words[0] = block;
    words[1] = Math.floor(block / 4294967296);
    words[2] = stream;
    words[3] = 0;
    philox(words, this.key0, this.key1);
  }

  /** One number in [0, 1). */
  uniform(): number {
    const words = new Uint32Array(4);
    this.#draw(words, 0, 0);
    return (words[0] as number) / 4294967296;
  }

  /** One integer in [0, count). */
  integer(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** Standard normal values (Box–Muller over Philox). */
  normals(count: number): Float32Array {
    const values = new Float32Array(count);
    const words = new Uint32Array(4);
    for (let i = 0; i < count; i += 4) {
      this.#draw(words, i / 4, 1);
      for (let pair = 0; pair < 4 && i + pair < count; pair += 2) {
        const radius = Math.sqrt(-2 * Math.log(((words[pair] as number) + 1) / 4294967297));
        const angle = (2 * Math.PI * (words[pair + 1] as number)) / 4294967296;
        values[i + pair] = radius * Math.cos(angle);
        if (i + pair + 1 < count) values[i + pair + 1] = radius * Math.sin(angle);
      }
    }
    return values;
  }

  /** Numbers in [0, 1). */
  uniforms(count: number): Float32Array {
    const values = new Float32Array(count);
    const words = new Uint32Array(4);
    for (let i = 0; i < count; i++) {
      if (i % 4 === 0) this.#draw(words, i / 4, 2);
      values[i] = ((words[i & 3] as number) >>> 8) / 16777216;
    }
    return values;
  }
}

/** A tensor of standard normal values, drawn where tensors are made. */
export function normal(rng: Rng, shape: readonly number[]): Tensor {
  const device = defaultDevice();
  if (device !== "cpu") return normalsOn(device, rng, shape);
  return Tensor.from(rng.normals(shape.reduce((product, size) => product * size, 1)), shape);
}

/** A tensor of numbers in [0, 1). */
export function uniform(rng: Rng, shape: readonly number[]): Tensor {
  return Tensor.from(rng.uniforms(shape.reduce((product, size) => product * size, 1)), shape);
}
