import { closeSync, openSync, readSync } from "node:fs";
import { DataError } from "./errors.ts";
import type { TensorEntry } from "./safetensors-header.ts";

/** The one value of a tensor of a single element, read without the engine; integers and floating-point numbers. */
export function readScalar(path: string, name: string, entry: TensorEntry): number {
  const count = entry.shape.reduce((product, size) => product * size, 1);
  const decode = DECODERS[entry.format];
  if (count !== 1 || decode === undefined) {
    const got = `${entry.format} [${entry.shape.join(" ")}]`;
    throw new DataError(`${path}: expected one number as ${name}, got ${got}`);
  }
  const bytes = Buffer.alloc(entry.bytes);
  const file = openSync(path, "r");
  try {
    readSync(file, bytes, 0, bytes.length, entry.start);
  } finally {
    closeSync(file);
  }
  return decode(bytes);
}

const DECODERS: Readonly<Record<string, (bytes: Buffer) => number>> = {
  F64: (bytes) => bytes.readDoubleLE(),
  F32: (bytes) => bytes.readFloatLE(),
  BF16: (bytes) => Buffer.concat([Buffer.alloc(2), bytes]).readFloatLE(),
  F16: (bytes) => halfValue(bytes.readUInt16LE()),
  I64: (bytes) => Number(bytes.readBigInt64LE()),
  I32: (bytes) => bytes.readInt32LE(),
};

/** The number behind the 16 bits of an IEEE half: 1 sign, 5 exponent, 10 fraction. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
