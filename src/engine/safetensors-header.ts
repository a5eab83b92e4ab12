import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { DataError } from "./errors.ts";
import type { DType } from "./dtype.ts";
import { isRecord, jsonText } from "./json.ts";

const MAX_HEADER_BYTES = 100_000_000;
const METADATA_KEY = "__metadata__";

/** Bits per element of every data type that the format knows. */
const BITS: ReadonlyMap<string, number> = new Map([
  ...["F4"].map((name) => [name, 4] as const),
  ...["F6_E2M3", "F6_E3M2"].map((name) => [name, 6] as const),
  ...["BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"].map(
    (name) => [name, 8] as const,
  ),
  ...["U16", "I16", "F16", "BF16"].map((name) => [name, 16] as const),
  ...["U32", "I32", "F32"].map((name) => [name, 32] as const),
  ...["U64", "I64", "F64", "C64"].map((name) => [name, 64] as const),
]);

/** The format's names for the data types that tensors here can have. */
export const FORMAT_NAMES: Readonly<Record<DType, string>> = {
  bool: "BOOL",
  uint8: "U8",
  int8: "I8",
  int16: "I16",
  int32: "I32",
  int64: "I64",
  float16: "F16",
  bfloat16: "BF16",
  float32: "F32",
  float64: "F64",
};

/** Where one tensor lies in a file. */
export interface TensorEntry {
  /** The format's name of its data type, e.g. `BF16`. */
  readonly format: string;
  readonly shape: readonly number[];
  /** First byte, counted from the start of the file. */
  readonly start: number;
  readonly bytes: number;
}

/** What the head of a safetensors file says. */
export interface SafetensorsHeader {
  /** By name, in the order of the header. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Length of the file. */
  readonly fileBytes: number;
}

/**
 * Reads and checks the head of a safetensors file; no tensor data is touched.
 *
 * Everything that the reference reader refuses is a DataError here: a header over 100,000,000 bytes, JSON that
 * is not an object or repeats a key, unknown data types, sizes that contradict shapes, holes, overlaps, and a
 * file longer or shorter than its header says.
 */
export function readHeader(path: string): SafetensorsHeader {
  const { text, dataStart, fileBytes } = readHeaderText(path);
  const entries = Object.entries(parseHeader(text, path));
  const metadata = entries.find(([name]) => name === METADATA_KEY)?.[1] ?? {};
  if (!isStringRecord(metadata))
    throw fault(path, `${METADATA_KEY} to map strings to strings`, jsonText(metadata));
  const tensors = entries
    .filter(([name]) => name !== METADATA_KEY)
    .map(([name, value]) => [name, readEntry(value, name, path)] as const);
  checkLayout(tensors, fileBytes - dataStart, path);
  return {
    tensors: new Map(
      tensors.map(([name, entry]) => [name, { ...entry, start: dataStart + entry.start }]),
    ),
    metadata,
    fileBytes,
  };
}

function fault(path: string, expected: string, came: string): DataError {
  return new DataError(`${path}: expected ${cut(expected)}, got ${cut(came)}`);
}

/** Names and values of a file may be as long as its header. */
function cut(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function readHeaderText(path: string): { text: string; dataStart: number; fileBytes: number } {
  const file = open(path);
  try {
    const stats = fstatSync(file);
    if (stats.isDirectory()) throw fault(path, "a safetensors file", "a folder of that name");
    const fileBytes = stats.size;
    const prefix = Buffer.alloc(8);
    const got = readSync(file, prefix, 0, 8, 0);
    if (got < 8) throw fault(path, "a safetensors file of at least 8 bytes", `${fileBytes} bytes`);
    const headerBytes = prefix.readBigUInt64LE(0);
    if (headerBytes > MAX_HEADER_BYTES) {
      throw fault(
        path,
        `a header of at most ${MAX_HEADER_BYTES} bytes`,
        `${headerBytes} bytes: is this a safetensors file?`,
      );
    }
    const dataStart = 8 + Number(headerBytes);
    if (dataStart > fileBytes) {
      throw fault(
        path,
        `a header of ${headerBytes} bytes`,
        `a file of ${fileBytes} bytes in all: it is cut off`,
      );
    }
    const header = Buffer.alloc(Number(headerBytes));
    readSync(file, header, 0, header.length, 8);
    return { text: decodeUtf8(header, path), dataStart, fileBytes };
  } finally {
    closeSync(file);
  }
}

function open(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    throw new DataError(`${path}: expected a readable file, got none`, { cause });
  }
}

function decodeUtf8(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new DataError(`${path}: expected a header in UTF-8, got other bytes`, { cause });
  }
}

function parseHeader(text: string, path: string): object {
  if (!text.startsWith("{"))
    throw fault(path, "a header that starts with {", jsonText(text.slice(0, 20)));
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${path}: expected a header in JSON, got text that is not`, { cause });
  }
  const repeated = repeatedKey(text);
  if (repeated !== undefined)
    throw fault(path, "every key once in the header", `${repeated} twice`);
  return isRecord(parsed) ? parsed : {};
}

/** The first key that an object of `json` holds twice: `JSON.parse` would silently take the last. */
function repeatedKey(json: string): string | undefined {
  const objects: Set<string>[] = [];
  for (const [found, text = "", colon] of json.matchAll(
    /("[^"\\]*(?:\\.[^"\\]*)*")\s*(:?)|[{}]/g,
  )) {
    if (found === "{") objects.push(new Set());
    else if (found === "}") objects.pop();
    else if (colon === ":") {
      const name = String(JSON.parse(text));
      const keys = objects.at(-1);
      if (keys?.has(name)) return name;
      keys?.add(name);
    }
  }
  return undefined;
}

function isStringRecord(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((item) => typeof item === "string");
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

/** Sizes that can be multiplied, which the engine does to the end, whether or not one of them is zero. */
function isShape(value: unknown): value is number[] {
  if (!isSizes(value)) return false;
  return Number.isSafeInteger(value.reduce((product, size) => product * Math.max(size, 1), 1));
}

function readEntry(value: unknown, name: string, path: string): TensorEntry {
  const keys = isRecord(value) ? Object.keys(value).toSorted().join() : "";
  if (!isRecord(value) || keys !== "data_offsets,dtype,shape") {
    throw fault(path, `dtype, shape and data_offsets for ${name}`, jsonText(value));
  }
  const { dtype, shape, data_offsets: offsets } = value;
  const bits = typeof dtype === "string" ? BITS.get(dtype) : undefined;
  if (typeof dtype !== "string" || bits === undefined)
    throw fault(path, `a known dtype for ${name}`, jsonText(dtype));
  if (!isShape(shape)) throw fault(path, `a list of sizes as shape of ${name}`, jsonText(shape));
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw fault(path, `two offsets in data_offsets of ${name}`, jsonText(offsets));
  }
  const [start = 0, end = 0] = offsets;
  const expected = (shape.reduce((product, size) => product * size, 1) * bits) / 8;
  if (end - start !== expected) {
    throw fault(
      path,
      `${expected} bytes for ${name} (${dtype} [${shape.join(" ")}])`,
      `${end - start} bytes`,
    );
  }
  return { format: dtype, shape, start, bytes: expected };
}

/** Tensors must fill the data without hole or overlap, and the data the file. */
function checkLayout(
  tensors: readonly (readonly [string, TensorEntry])[],
  dataBytes: number,
  path: string,
): void {
  const sorted = tensors.toSorted(([, a], [, b]) => a.start - b.start || a.bytes - b.bytes);
  let end = 0;
  for (const [name, { start, bytes }] of sorted) {
    if (start !== end) {
      const kind = start > end ? "a hole" : "an overlap";
      throw fault(path, `${name} to start at data byte ${end}`, `${start}: ${kind}`);
    }
    end += bytes;
  }
  if (end !== dataBytes) {
    const kind = end > dataBytes ? "the file is cut off" : "something follows the last tensor";
    throw fault(path, `${end} bytes of tensor data`, `${dataBytes} bytes: ${kind}`);
  }
}
