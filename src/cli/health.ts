import { readdir, stat, statfs } from "node:fs/promises";
import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { UserError } from "../engine/errors.ts";
import { gainsFromBfloat16, processorFlags, readCpuInfo } from "../engine/processor.ts";
import { byteSize } from "../engine/byte-size.ts";

/** What one look at the machine found. */
export interface Check {
  readonly name: string;
  readonly status: "ok" | "warn";
  readonly detail: string;
  /** What to do; only with `warn`, and only where `detail` does not say it. */
  readonly advice?: string;
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const GIGABYTE = 1e9;

/** Looks at everything that editing and training need, without changing anything. */
export async function examine(): Promise<Check[]> {
  const cpuInfo = readCpuInfo();
  return [
    checkNode(process.versions.node),
    checkCpu(cpuInfo, process.env["ATEN_CPU_CAPABILITY"]),
    checkPrecision(cpuInfo),
    checkMemory(totalmem(), freemem()),
    await checkDisk(root),
    await checkEngine(),
    await checkVideo(),
    await checkModel(join(root, "models/tiny")),
  ];
}

/** The sources run as they are, with `using`: that takes Node 24. */
export function checkNode(version: string): Check {
  const name = "node";
  if (Number.parseInt(version, 10) >= 24) return { name, status: "ok", detail: version };
  const advice = "start through ./eve, which brings Node 24";
  return { name, status: "warn", detail: `${version}, expected 24 or newer`, advice };
}

/** What the processor can do, and whether libtorch has been told to use it. */
export function checkCpu(cpuInfo: string, capability: string | undefined): Check {
  const flags = processorFlags(cpuInfo);
  const notable = ["avx2", "avx512f", "avx512_bf16", "amx_bf16"].filter((flag) => flags.has(flag));
  const model = cpus()[0]?.model.trim() || "unknown processor";
  const features = notable.length > 0 ? notable.join(", ") : "no vector extensions known";
  const cores = availableParallelism();
  const detail = `${cores} ${cores === 1 ? "core" : "cores"}, ${features} (${model})`;
  if (!flags.has("avx512f") || capability === "avx512")
    return { name: "cpu", status: "ok", detail };
  const advice =
    "set ATEN_CPU_CAPABILITY=avx512, as ./eve does; libtorch uses only AVX2 without it";
  return { name: "cpu", status: "warn", detail, advice };
}

/** Whether bfloat16, in which training runs unless told otherwise, is of use on the processor. */
export function checkPrecision(cpuInfo: string): Check {
  const name = "precision";
  if (gainsFromBfloat16("cpu", processorFlags(cpuInfo)))
    return { name, status: "ok", detail: "bfloat16 is faster than float32 on this processor" };
  const detail = "bfloat16 gains nothing on this processor: no avx512_bf16, no amx_bf16";
  const advice =
    "train with --set precision=float32, several times faster here; edits choose it themselves";
  return { name, status: "warn", detail, advice };
}

/** Editing with the tiny model stays below 2 GB. */
export function checkMemory(totalBytes: number, freeBytes: number): Check {
  const detail = `${byteSize(freeBytes)} free of ${byteSize(totalBytes)}`;
  if (freeBytes >= 2 * GIGABYTE) return { name: "memory", status: "ok", detail };
  const advice = "editing needs up to 2 GB: close something, or add swap";
  return { name: "memory", status: "warn", detail, advice };
}

async function checkDisk(path: string): Promise<Check> {
  const { bavail, bsize } = await statfs(path);
  const detail = `${byteSize(bavail * bsize)} free`;
  if (bavail * bsize >= 2 * GIGABYTE) return { name: "disk", status: "ok", detail };
  const advice = "training keeps checkpoints and caches: have 2 GB or more";
  return { name: "disk", status: "warn", detail, advice };
}

async function checkEngine(): Promise<Check> {
  const name = "engine";
  try {
    const { engineInfo } = await import("../engine/settings.ts");
    const { version, cudaDevices, configuration } = engineInfo();
    const backend = /parallel backend: (\S+)/.exec(configuration)?.[1] ?? "no parallel backend";
    const capability = /CPU capability usage: (\S+)/.exec(configuration)?.[1] ?? "unknown";
    const detail = `libtorch ${version}, ${backend}, CPU capability ${capability}, ${cudaDevices} CUDA devices`;
    return { name, status: "ok", detail };
  } catch (error) {
    const detail = `the native engine does not load: ${firstLine(error)}`;
    if (error instanceof UserError) return { name, status: "warn", detail };
    return { name, status: "warn", detail, advice: "run ./eve --setup-only, which builds it" };
  }
}

async function checkVideo(): Promise<Check> {
  const name = "video";
  try {
    const { getFFmpegInfo } = await import("node-av/lib");
    const { version, libraries } = getFFmpegInfo();
    return { name, status: "ok", detail: `FFmpeg ${version}, libavcodec ${libraries.avcodec}` };
  } catch (error) {
    const detail = `FFmpeg does not load: ${firstLine(error)}`;
    return { name, status: "warn", detail, advice: "run npm ci again" };
  }
}

/** The shipped model, by what lies in its folder. */
export async function checkModel(folder: string): Promise<Check> {
  const name = "model";
  const files = await readdir(folder, { recursive: true }).catch(() => []);
  const weights = files.filter((file) => file.endsWith(".safetensors"));
  if (weights.length === 0) {
    const advice = "docs/running.md says how to get or train it";
    return { name, status: "warn", detail: "no weights in models/tiny", advice };
  }
  const sizes = await Promise.all(
    weights.map(async (file) => (await stat(join(folder, file))).size),
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const detail = `${weights.length} weight files in models/tiny, ${byteSize(total)}`;
  return { name, status: "ok", detail };
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
