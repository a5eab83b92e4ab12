import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { DType } from "./dtype.ts";
import { DataError } from "./errors.ts";
import { loadSafetensors, readHeader, saveSafetensors } from "./safetensors.ts";
import { Tensor } from "./tensor.ts";

const folder = mkdtempSync(join(tmpdir(), "safetensors-"));
afterAll(() => rmSync(folder, { recursive: true }));

const golden = (name: string): string =>
  new URL(`../../test/golden/safetensors/${name}`, import.meta.url).pathname;

// Ours: the one that runs the tests may be too old for TypeScript.
const node = new URL("../../node_modules/.bin/node", import.meta.url).pathname;

const DTYPES: readonly DType[] = [
  ...(["bool", "uint8", "int8", "int16", "int32", "int64"] as const),
  ...(["float16", "bfloat16", "float32", "float64"] as const),
];

/** What `test/golden/safetensors/every_dtype.py` holds. */
function everyDtype(): Map<string, Tensor> {
  const tensors = new Map(
    DTYPES.map((dtype) => [dtype, Tensor.arange(6).reshape([2, 3]).to(dtype)] as [string, Tensor]),
  );
  return tensors.set("scalar", Tensor.scalar(1.5)).set("empty", Tensor.zeros([0, 3]));
}

function expectSame(
  actual: ReadonlyMap<string, Tensor>,
  expected: ReadonlyMap<string, Tensor>,
): void {
  expect([...actual.keys()].toSorted()).toEqual([...expected.keys()].toSorted());
  for (const [name, tensor] of expected) {
    const found = actual.get(name);
    expect(found?.dtype, name).toBe(tensor.dtype);
    expect(found?.shape, name).toEqual(tensor.shape);
    expect(new Uint8Array(found?.toBytes() ?? []), name).toEqual(new Uint8Array(tensor.toBytes()));
  }
}

describe("saveSafetensors and loadSafetensors", () => {
  test("give back every data type, scalars and tensors without elements", () => {
    const path = join(folder, "all.safetensors");
    saveSafetensors(path, everyDtype());
    expectSame(loadSafetensors(path), everyDtype());
  });

  test("read what Python's safetensors writes", () => {
    expectSame(loadSafetensors(golden("every-dtype.safetensors")), everyDtype());
    expect(readHeader(golden("every-dtype.safetensors")).metadata).toEqual({
      format: "pt",
      note: "häuser",
    });
  });

  test("write the bytes that Python's safetensors was seen to read", () => {
    const path = join(folder, "ours.safetensors");
    saveSafetensors(path, everyDtype(), { metadata: { note: "häuser" } });
    expect(readFileSync(path).equals(readFileSync(golden("ours.safetensors")))).toBe(true);
  });

  test("write the same bytes whatever the order of the tensors, aligned to eight", () => {
    const forward = join(folder, "forward.safetensors");
    const backward = join(folder, "backward.safetensors");
    saveSafetensors(forward, everyDtype());
    saveSafetensors(backward, new Map([...everyDtype()].toReversed()));
    expect(readFileSync(forward).equals(readFileSync(backward))).toBe(true);
    const wide = readHeader(forward).tensors.get("float64");
    expect((wide?.start ?? 1) % 8).toBe(0);
  });

  test("convert floating-point tensors alone when asked to", () => {
    const path = join(folder, "half.safetensors");
    saveSafetensors(path, everyDtype(), { dtype: "float16" });
    const loaded = loadSafetensors(path);
    expect(loaded.get("float32")?.dtype).toBe("float16");
    expect([...(loaded.get("bfloat16")?.toFloat32Array() ?? [])]).toEqual([0, 1, 2, 3, 4, 5]);
    expect(loaded.get("int32")?.dtype).toBe("int32");
  });

  test("store views by their values and weights that require gradients", () => {
    const path = join(folder, "views.safetensors");
    const weight = Tensor.from([1, 2, 3, 4], [2, 2]).setRequiresGrad(true);
    saveSafetensors(path, new Map([["w", weight.transpose(0, 1)]]), { dtype: "float64" });
    expect([...(loadSafetensors(path).get("w")?.toFloat32Array() ?? [])]).toEqual([1, 3, 2, 4]);
  });

  test("read tensors that are not aligned to their element", () => {
    const path = join(folder, "odd.safetensors");
    const data = Buffer.alloc(5);
    data.writeFloatLE(2.5, 1);
    writeFile(path, { a: entry("U8", [1], 0, 1), b: entry("F32", [], 1, 5) }, data);
    expect(loadSafetensors(path).get("b")?.item()).toBe(2.5);
  });

  test("read many unaligned tensors of several sizes, each its own", () => {
    const path = join(folder, "unaligned.safetensors");
    const data = Buffer.alloc(1 + 12 + 4 + 8);
    [1, 2, 3, 4].forEach((value, i) => data.writeFloatLE(value, 1 + 4 * i));
    data.writeDoubleLE(5, 17);
    const header = {
      a: entry("BOOL", [1], 0, 1),
      b: entry("F32", [3], 1, 13),
      c: entry("F32", [1], 13, 17),
      d: entry("F64", [], 17, 25),
    };
    writeFile(path, header, data);
    const tensors = loadSafetensors(path);
    expect([...(tensors.get("b")?.toFloat32Array() ?? [])]).toEqual([1, 2, 3]);
    expect(tensors.get("c")?.item()).toBe(4);
    expect(tensors.get("d")?.item()).toBe(5);
  });

  test("leave the file alone when a loaded tensor is written to", () => {
    const path = join(folder, "kept.safetensors");
    saveSafetensors(path, new Map([["w", Tensor.ones([4])]]));
    const loaded = loadSafetensors(path).get("w");
    loaded?.copyFrom(Tensor.zeros([4]));
    expect([...(loaded?.toFloat32Array() ?? [])]).toEqual([0, 0, 0, 0]);
    expect([...(loadSafetensors(path).get("w")?.toFloat32Array() ?? [])]).toEqual([1, 1, 1, 1]);
  });

  test("read metadata of megabytes", () => {
    const path = join(folder, "long.safetensors");
    const note = '{"a": "b\\"}'.repeat(200_000);
    saveSafetensors(path, new Map([["w", Tensor.ones([1])]]), { metadata: { note } });
    expect(readHeader(path).metadata["note"]).toBe(note);
  });
});

describe("saveSafetensors", () => {
  class Failing extends Tensor {
    override toBytes(): ArrayBuffer {
      throw new Error("the disk is full");
    }
  }

  test("leaves the old file and nothing else when writing fails", () => {
    const own = mkdtempSync(join(folder, "failing-"));
    const path = join(own, "model.safetensors");
    saveSafetensors(path, new Map([["w", Tensor.ones([4])]]));
    const { handle } = Tensor.zeros([4]);
    expect(() => saveSafetensors(path, new Map([["w", new Failing(handle)]]))).toThrow(
      "the disk is full",
    );
    expect(readdirSync(own)).toEqual(["model.safetensors"]);
    expect(loadSafetensors(path).get("w")?.toFloat32Array()[3]).toBe(1);
  });

  test("leaves the old file intact when the process is killed while it writes", () => {
    const path = join(folder, "killed.safetensors");
    saveSafetensors(path, new Map([["w", Tensor.ones([4])]]));
    const source = (name: string): string =>
      JSON.stringify(new URL(name, import.meta.url).pathname);
    const script = `
      import { saveSafetensors } from ${source("safetensors.ts")};
      import { Tensor } from ${source("tensor.ts")};
      const a = Tensor.zeros([4]);
      const b = Tensor.zeros([4]);
      b.toBytes = () => process.kill(process.pid, "SIGKILL");
      saveSafetensors(${JSON.stringify(path)}, new Map([["a", a], ["b", b]]));
    `;
    const child = spawnSync(node, ["--input-type=module", "-e", script]);
    expect(child.signal).toBe("SIGKILL");
    expect([...loadSafetensors(path).keys()]).toEqual(["w"]);
  });

  test("refuses the name that the format reserves", () => {
    const tensors = new Map([["__metadata__", Tensor.ones([1])]]);
    expect(() => saveSafetensors(join(folder, "x.safetensors"), tensors)).toThrow(DataError);
  });
});

function entry(dtype: unknown, shape: readonly unknown[], ...offsets: readonly unknown[]): object {
  return { dtype, shape, data_offsets: offsets };
}

function writeFile(path: string, header: object | string, data: Uint8Array): void {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(path, Buffer.concat([prefix, text, data]));
}

const deepList = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
const hugeHeader = Buffer.alloc(16, 0xff);
const bad: readonly [
  what: string,
  header: object | string | Uint8Array,
  bytes: number,
  message: string,
][] = [
  ["is empty", Buffer.alloc(0), 0, "expected a safetensors file of at least 8 bytes, got 0 bytes"],
  [
    "announces a huge header",
    hugeHeader,
    0,
    "expected a header of at most 100000000 bytes, got 18446744073709551615 bytes",
  ],
  [
    "ends within its header",
    Buffer.from([64, 0, 0, 0, 0, 0, 0, 0, 123]),
    0,
    "expected a header of 64 bytes, got a file of 9 bytes",
  ],
  ["has no JSON", "{nonsense", 0, "expected a header in JSON, got text that is not"],
  ["has no object", "[1]", 0, 'expected a header that starts with {, got "[1]"'],
  [
    "is not UTF-8",
    Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 123, 0xff, 125]),
    0,
    "expected a header in UTF-8",
  ],
  [
    "repeats a name",
    '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{}}',
    0,
    "expected every key once in the header, got a twice",
  ],
  [
    "repeats a field",
    '{"a":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}}',
    0,
    "got dtype twice",
  ],
  [
    "has an unknown data type",
    { a: entry("F7", [1], 0, 1) },
    1,
    'expected a known dtype for a, got "F7"',
  ],
  [
    "lacks a field",
    { a: { dtype: "U8", shape: [1] } },
    1,
    "expected dtype, shape and data_offsets for a",
  ],
  [
    "has a negative size",
    { a: entry("U8", [-1], 0, 1) },
    1,
    "expected a list of sizes as shape of a, got [-1]",
  ],
  [
    "has a fractional offset",
    { a: entry("U8", [1], 0.5, 1.5) },
    2,
    "expected two offsets in data_offsets of a",
  ],
  [
    "contradicts a shape",
    { a: entry("F32", [2], 0, 4) },
    4,
    "expected 8 bytes for a (F32 [2]), got 4 bytes",
  ],
  [
    "has a hole",
    { a: entry("U8", [1], 0, 1), b: entry("U8", [1], 2, 3) },
    3,
    "expected b to start at data byte 1, got 2: a hole",
  ],
  [
    "has an overlap",
    { a: entry("U8", [2], 0, 2), b: entry("U8", [2], 1, 3) },
    3,
    "expected b to start at data byte 2, got 1: an overlap",
  ],
  [
    "is cut off",
    { a: entry("U8", [4], 0, 4) },
    3,
    "expected 4 bytes of tensor data, got 3 bytes: the file is cut off",
  ],
  [
    "goes on after the last tensor",
    { a: entry("U8", [4], 0, 4) },
    5,
    "got 5 bytes: something follows the last tensor",
  ],
  [
    "has sizes whose product is beyond all numbers",
    { a: entry("F32", [2 ** 52, 2 ** 52, 0], 0, 0) },
    0,
    "expected a list of sizes as shape of a, got [4503599627370496,4503599627370496,0]",
  ],
  [
    "has a list as its data type",
    { a: entry(["U8"], [1], 0, 1) },
    1,
    'expected a known dtype for a, got ["U8"]',
  ],
  [
    "is nested too deeply to be shown",
    `{"a":${deepList}}`,
    0,
    "shape and data_offsets for a, got [",
  ],
  [
    "is nested too deeply in a data type",
    `{"a":{"dtype":${deepList},"shape":[0],"data_offsets":[0,0]}}`,
    0,
    "expected a known dtype for a, got [",
  ],
  ["has a name as long as its header", { ["a".repeat(1e6)]: 1 }, 0, "aaaa…, got 1"],
  [
    "has metadata that is not text",
    { __metadata__: { step: 3 } },
    0,
    "expected __metadata__ to map strings to strings",
  ],
];

describe("readHeader refuses a file that", () => {
  test.each(bad)("%s", (what, header, bytes, message) => {
    const path = join(folder, `${what}.safetensors`);
    if (header instanceof Uint8Array) writeFileSync(path, header);
    else writeFile(path, header, Buffer.alloc(bytes));
    expect(() => readHeader(path)).toThrow(DataError);
    expect(() => readHeader(path)).toThrow(message);
    expect(() => readHeader(path)).toThrow(path);
  });

  test("is not there", () => {
    expect(() => readHeader(join(folder, "none"))).toThrow(
      "none: expected a readable file, got none",
    );
  });
});

test("loadSafetensors names the tensor whose data type no tensor here can have", () => {
  const path = join(folder, "float8.safetensors");
  writeFile(path, { a: entry("F8_E4M3", [1], 0, 1) }, Buffer.alloc(1));
  expect(readHeader(path).tensors.get("a")?.format).toBe("F8_E4M3");
  expect(() => loadSafetensors(path)).toThrow(/expected a in one of BOOL .*, got F8_E4M3/);
});
