import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkCpu, checkMemory, checkModel, checkNode, checkPrecision } from "./health.ts";

test("an old Node is a warning that says how to get the right one", () => {
  expect(checkNode("24.21.0").status).toBe("ok");
  expect(checkNode("20.20.2")).toMatchObject({ status: "warn", advice: /\.\/eve/ });
});

test("a processor with AVX-512 that libtorch was not told about is a warning", () => {
  const cpuInfo = "processor\t: 0\nflags\t\t: fpu avx2 avx512f amx_bf16\n";
  expect(checkCpu(cpuInfo, "avx512").status).toBe("ok");
  expect(checkCpu(cpuInfo, undefined)).toMatchObject({
    status: "warn",
    detail: expect.stringContaining("avx2, avx512f, amx_bf16"),
  });
  expect(checkCpu("", undefined).status).toBe("ok");
});

test("a processor without bfloat16 is told to train in float32", () => {
  expect(checkPrecision("flags: avx2 avx512f amx_bf16\n").status).toBe("ok");
  expect(checkPrecision("flags: avx2 avx512f\n")).toMatchObject({
    status: "warn",
    advice: expect.stringContaining("--set precision=float32"),
  });
});

test("less memory than an edit takes is a warning", () => {
  expect(checkMemory(8e9, 4e9)).toMatchObject({ status: "ok", detail: "4.0 GB free of 8.0 GB" });
  expect(checkMemory(8e9, 1e9).status).toBe("warn");
});

test("a model folder is judged by the weights in it", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "eve-model-"));
  expect((await checkModel(folder.path)).status).toBe("warn");
  await writeFile(join(folder.path, "unet.safetensors"), new Uint8Array(1500));
  await writeFile(join(folder.path, "vae.safetensors"), new Uint8Array(500));
  expect(await checkModel(folder.path)).toMatchObject({
    status: "ok",
    detail: "2 weight files in models/tiny, 2.0 kB",
  });
});
