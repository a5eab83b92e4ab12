import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { dtypeBytes, dtypeCode, type DType } from "./dtype.ts";
import { DataError, invariant } from "./errors.ts";
import { FORMAT_NAMES, readHeader, type TensorEntry } from "./safetensors-header.ts";
import { defaultDevice } from "./device.ts";
import { door } from "./native.ts";
import { scoped, tensorScope } from "./scope.ts";
import { Tensor, dispatch } from "./tensor.ts";

export { readHeader, type SafetensorsHeader, type TensorEntry } from "./safetensors-header.ts";

const DTYPES: ReadonlyMap<string, DType> = new Map(
  Object.entries(FORMAT_NAMES).map(([dtype, format]) => [format, dtype as DType]),
);
const CHUNK_BYTES = 1 << 26;

/**
 * Every tensor of a safetensors file, as `mapSafetensors` gives it; another default device than the CPU gets a copy.
 *
 * Tensors belong to the innermost scope.
 */
export function loadSafetensors(path: string): ReadonlyMap<string, Tensor> {
  const mapped = mapSafetensors(path);
  const device = defaultDevice();
  if (device === "cpu") return mapped;
  return new Map([...mapped].map(([name, tensor]) => [name, tensor.toDevice(device)]));
}

/**
 * Every tensor of a safetensors file, on the CPU, mapped from the file: a page is read when it is used, and the system
 * may drop it again. Tensors that lie unaligned to their element, as old writers left them, are copied instead.
 *
 * Tensors belong to the innermost scope; the mapping lives as long as any of them. Writing into one changes memory only,
 * never the file. The file must not be cut or overwritten in place meanwhile; `saveSafetensors` replaces it, which is
 * safe.
 */
export function mapSafetensors(path: string): ReadonlyMap<string, Tensor> {
  const { tensors, fileBytes } = readHeader(path);
  const unsupported = [...tensors].find(([, { format }]) => !DTYPES.has(format));
  if (unsupported) {
    const [name, { format }] = unsupported;
    throw new DataError(
      `${path}: expected ${name} in one of ${[...DTYPES.keys()].join(" ")}, got ${format}`,
    );
  }
  const mapping = dispatch("aten::from_file", path, false, fileBytes, dtypeCode("uint8"));
  const copy = unalignedReader(path, [...tensors.values()]);
  return new Map(
    [...tensors].map(([name, entry]) => [
      name,
      isAligned(entry) ? scoped(() => viewAt(mapping, entry)) : copy(entry),
    ]),
  );
}

function dtypeOf({ format }: TensorEntry): DType {
  const dtype = DTYPES.get(format);
  invariant(dtype, `data type ${format} was checked before`);
  return dtype;
}

function isAligned(entry: TensorEntry): boolean {
  return entry.bytes === 0 || entry.start % dtypeBytes(dtypeOf(entry)) === 0;
}

function viewAt(mapping: Tensor, entry: TensorEntry): Tensor {
  const { shape, start, bytes } = entry;
  if (bytes === 0) return Tensor.zeros(shape, dtypeOf(entry), "cpu");
  return mapping.narrow(0, start, bytes).viewAs(dtypeOf(entry)).reshape(shape);
}

/**
 * Copies tensors out of a file through one buffer.
 *
 * Not out of the mapping: its pages would stay in memory beside the copies.
 */
function unalignedReader(
  path: string,
  entries: readonly TensorEntry[],
): (entry: TensorEntry) => Tensor {
  const largest = entries.reduce(
    (most, entry) => (isAligned(entry) ? most : Math.max(most, entry.bytes)),
    0,
  );
  const buffer = new Uint8Array(largest);
  return (entry) => {
    const file = openSync(path, "r");
    try {
      readAll(file, buffer.subarray(0, entry.bytes), entry.start, path);
    } finally {
      closeSync(file);
    }
    return new Tensor(door().fromBytes(buffer.buffer, 0, dtypeCode(dtypeOf(entry)), entry.shape));
  };
}

function readAll(file: number, target: Uint8Array, start: number, path: string): void {
  for (let done = 0; done < target.length;) {
    const length = Math.min(CHUNK_BYTES, target.length - done);
    const got = readSync(file, target, done, length, start + done);
    if (got === 0) throw new DataError(`${path}: expected more bytes, it was cut while being read`);
    done += got;
  }
}

/** How `saveSafetensors` writes. */
export interface SaveOptions {
  /** Free text by key; `format: "pt"` is always added, as PyTorch's readers expect. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Converts floating-point tensors to this type; others keep theirs. */
  readonly dtype?: "float16" | "bfloat16" | "float32" | "float64";
}

interface Planned {
  readonly name: string;
  readonly tensor: Tensor;
  readonly dtype: DType;
  readonly bytes: number;
}

/**
 * Writes tensors as a safetensors file, one at a time, so that no second copy of all of them is held.
 *
 * The file appears complete or not at all: it is written beside `path`, flushed, and renamed over it. The same
 * tensors give the same bytes whatever their order.
 */
export function saveSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  { metadata = {}, dtype }: SaveOptions = {},
): void {
  const planned = plan(tensors, dtype);
  const partial = `${path}.${process.pid}.partial`;
  const file = openSync(partial, "w");
  try {
    writeAll(file, headerBytes(planned, metadata));
    for (const { tensor, dtype: stored } of planned) writeTensor(file, tensor, stored);
    fsyncSync(file);
  } catch (error) {
    closeSync(file);
    rmSync(partial);
    throw error;
  }
  closeSync(file);
  renameSync(partial, path);
  flushDirectory(dirname(path));
}

/** Widest elements first, then by name: every tensor is aligned to its element. */
function plan(tensors: ReadonlyMap<string, Tensor>, wanted: DType | undefined): Planned[] {
  if (tensors.has("__metadata__"))
    throw new DataError("expected tensor names, got __metadata__, which the format reserves");
  const planned = [...tensors].map(([name, tensor]) => {
    const dtype = wanted && isFloating(tensor.dtype) ? wanted : tensor.dtype;
    return { name, tensor, dtype, bytes: tensor.size * dtypeBytes(dtype) };
  });
  const byName = (a: Planned, b: Planned): number => (a.name < b.name ? -1 : 1);
  return planned.toSorted((a, b) => dtypeBytes(b.dtype) - dtypeBytes(a.dtype) || byName(a, b));
}

function isFloating(dtype: DType): boolean {
  return dtype.startsWith("float") || dtype === "bfloat16";
}

function headerBytes(
  planned: readonly Planned[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let end = 0;
  const entries = planned.map(({ name, tensor, dtype, bytes }) => {
    const begin = end;
    end += bytes;
    return [
      name,
      { dtype: FORMAT_NAMES[dtype], shape: tensor.shape, data_offsets: [begin, end] },
    ] as const;
  });
  const head = { __metadata__: { format: "pt", ...metadata }, ...Object.fromEntries(entries) };
  const json = Buffer.from(JSON.stringify(head));
  const padded = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, " ");
  padded.writeBigUInt64LE(BigInt(padded.length - 8), 0);
  json.copy(padded, 8);
  return padded;
}

function writeTensor(file: number, tensor: Tensor, dtype: DType): void {
  using _ = tensorScope();
  const values = tensor.dtype === dtype ? tensor : tensor.detach().to(dtype);
  writeAll(file, new Uint8Array(values.toBytes()));
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(file, bytes, done, Math.min(CHUNK_BYTES, bytes.length - done));
  }
}

/** Makes the rename itself survive a power cut. */
function flushDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
