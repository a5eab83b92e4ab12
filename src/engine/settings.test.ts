import { availableParallelism } from "node:os";
import { describe, expect, test, vi } from "vitest";
import type { DType } from "./dtype.ts";
import { physicalCores, readCpuInfo } from "./processor.ts";
import {
  autocast,
  computingType,
  engineInfo,
  inFastPrecision,
  onOneThread,
  setThreads,
  useAllCores,
  useThreads,
} from "./settings.ts";
import { dispatch, Tensor } from "./tensor.ts";

const x = Tensor.ones([1, 2, 4, 4]);
const kernel = Tensor.ones([3, 2, 3, 3]);
const convolved = (): Tensor => dispatch("aten::conv2d", x, kernel);

describe("autocast", () => {
  test("computes convolutions and matrix products in bf16 and leaves the rest alone", () => {
    autocast("bfloat16", () => {
      expect(convolved().dtype).toBe("bfloat16");
      expect(x.matmul(x).dtype).toBe("bfloat16");
      expect(x.add(1).mul(x).dtype).toBe("float32");
      expect(dispatch("aten::group_norm", x, 1).dtype).toBe("float32");
      expect(x.mean().dtype).toBe("float32");
      expect(x.silu().dtype).toBe("float32");
    });
    expect(convolved().dtype).toBe("float32");
    expect(kernel.dtype).toBe("float32");
  });

  test("nests: an inner region ends without ending the outer one", () => {
    autocast("bfloat16", () => {
      autocast("bfloat16", () => convolved());
      expect(convolved().dtype).toBe("bfloat16");
      autocast("float32", () => expect(convolved().dtype).toBe("float32"));
      expect(convolved().dtype).toBe("bfloat16");
      autocast(null, () => expect(convolved().dtype).toBe("bfloat16"));
    });
    expect(convolved().dtype).toBe("float32");
  });

  test("says what is computed in, device by device", () => {
    expect(computingType("cpu")).toBe("float32");
    autocast("bfloat16", () => {
      expect(computingType("cpu")).toBe("bfloat16");
      expect(computingType("cuda:0")).toBe("float32");
      autocast("float32", () => expect(computingType("cpu")).toBe("float32"));
    });
    expect(computingType("cpu")).toBe("float32");
  });

  test("ends also when the work fails", () => {
    expect(() => autocast("bfloat16", () => x.matmul(Tensor.ones([3, 3])))).toThrow(/aten::matmul/);
    expect(convolved().dtype).toBe("float32");
  });
});

describe("what a machine computes fastest in", () => {
  const flags = new Set(["avx512_bf16"]);
  const type = (): DType => inFastPrecision("cpu", () => convolved().dtype, flags);

  test("is chosen where nobody has chosen", () => {
    expect(type()).toBe("bfloat16");
    expect(inFastPrecision("cpu", () => convolved().dtype, new Set())).toBe("float32");
    expect(convolved().dtype).toBe("float32");
  });

  test("gives way to the precision of a training", () => {
    expect(autocast("float32", type)).toBe("float32");
    expect(autocast(null, type)).toBe("bfloat16");
    autocast("bfloat16", () => {
      expect(inFastPrecision("cpu", () => convolved().dtype, new Set())).toBe("bfloat16");
      expect(autocast("float32", type)).toBe("float32");
      expect(type()).toBe("bfloat16");
    });
  });
});

describe("the engine", () => {
  test("takes the number of threads it is told", () => {
    const before = engineInfo().threads;
    setThreads(1);
    expect(engineInfo().threads).toBe(1);
    setThreads(before);
    expect(engineInfo().threads).toBe(before);
  });

  test("multiplies matrices on no more threads than it is told, where OpenBLAS has its own", (context) => {
    const { threads: before, blasThreads } = engineInfo();
    if (blasThreads === null) context.skip("another library multiplies");
    for (const count of [1, 2]) {
      setThreads(count);
      expect(engineInfo().blasThreads).toBe(count);
    }
    setThreads(before);
  });

  test("runs on one thread what is asked to, and on as many as before after it, a failure too", () => {
    const before = engineInfo().threads;
    setThreads(3);
    const inner = () => onOneThread(() => engineInfo().threads);
    expect(onOneThread(inner)).toBe(1);
    expect(engineInfo().threads).toBe(3);
    const failing = () =>
      onOneThread(() => {
        throw new Error("broke");
      });
    expect(failing).toThrow("broke");
    expect(engineInfo().threads).toBe(3);
    setThreads(before);
  });

  test("runs on every core when asked to, unless the environment says on how many", () => {
    const before = engineInfo().threads;
    setThreads(before + 1);
    vi.stubEnv("OMP_NUM_THREADS", "1");
    useAllCores();
    expect(engineInfo().threads).toBe(before + 1);
    vi.stubEnv("OMP_NUM_THREADS", undefined);
    useAllCores();
    expect(engineInfo().threads).toBe(physicalCores(readCpuInfo(), availableParallelism()));
    vi.unstubAllEnvs();
    setThreads(before);
  });

  test("runs a training on the threads of its settings, of the environment, or on all", () => {
    const before = engineInfo().threads;
    vi.stubEnv("OMP_NUM_THREADS", "1");
    setThreads(availableParallelism() + 1);
    useThreads(0);
    expect(engineInfo().threads).toBe(availableParallelism() + 1);
    useThreads(2);
    expect(engineInfo().threads).toBe(2);
    vi.stubEnv("OMP_NUM_THREADS", undefined);
    useThreads(0);
    expect(engineInfo().threads).toBe(availableParallelism());
    vi.unstubAllEnvs();
    setThreads(before);
  });

  test("tells its version and counts live tensors", () => {
    const { version, liveTensors, configuration } = engineInfo();
    expect(version).toMatch(/^\d+\.\d+/);
    expect(configuration).toContain("at::get_num_threads()");
    expect(configuration).toMatch(/CPU capability usage: \w+/);
    const made = Tensor.ones([1]);
    expect(engineInfo().liveTensors).toBe(liveTensors + made.size);
  });
});
