// Memory and time of opening a full-size Stable Diffusion 1.5 U-Net from its public folder:
//
//   node bench/load-weights.ts [--folder DIR] [--types float16,float32] [--unaligned]
//
// Writes a U-Net of formula weights into a temporary folder (5 GB for both types) and opens it in a process of its own.
// Peak is that process's high-water mark of resident memory (VmHWM) less what it was before opening; pages mapped from
// the file count from when they are first touched, though the system may drop them again. So there are three figures:
// after opening, after reading every weight, and after one evaluation, which converts float16 where it is used.
import { spawnSync } from "node:child_process";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { noGrad } from "../src/engine/autodiff.ts";
import { readHeader, saveSafetensors } from "../src/engine/safetensors.ts";
import { tensorScope } from "../src/engine/scope.ts";
import { setThreads } from "../src/engine/settings.ts";
import { Tensor } from "../src/engine/tensor.ts";
import { byteSize } from "../src/engine/byte-size.ts";
import { publicWeights } from "../src/models/public-weights/layout.ts";
import { UNET, openNetwork } from "../src/models/public-folder/networks.ts";
import { unallocated } from "../src/nn/init.ts";

const FILE = "diffusion_pytorch_model.safetensors";
const CONFIG = {
  _class_name: "UNet2DConditionModel",
  attention_head_dim: 8,
  block_out_channels: [320, 640, 1280, 1280],
  cross_attention_dim: 768,
  down_block_types: [...Array.from({ length: 3 }, () => "CrossAttnDownBlock2D"), "DownBlock2D"],
  up_block_types: ["UpBlock2D", ...Array.from({ length: 3 }, () => "CrossAttnUpBlock2D")],
};

const DTYPES = ["float16", "float32"] as const;
type Stored = (typeof DTYPES)[number];

const { values } = parseArgs({
  options: {
    folder: { type: "string" },
    types: { type: "string", default: "float16,float32" },
    /** Moves the tensors to odd places, as writers before safetensors 0.3 left them. */
    unaligned: { type: "boolean", default: false },
    open: { type: "string" },
  },
});

/** A high-water mark of this process's resident memory, in bytes. */
function peak(): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))!;
  return Number(kilobytes) * 1024;
}

/** Weights of a size that keeps activations in range; all are views of three waves, so they take no memory. */
function weights(dtype: Stored): Map<string, Tensor> {
  const network = unallocated(() => UNET.build(CONFIG));
  const places = publicWeights(network, UNET.layout);
  const largest = Math.max(...[...places.values()].map(({ size }) => size));
  const wave = Tensor.arange(largest, "float32").mul(0.37).sin();
  const matrices = wave.mul(0.02).to(dtype);
  const shifts = wave.narrow(0, 0, 10_240).mul(0.1).to(dtype);
  const scales = shifts.add(1);
  return new Map(
    [...places].map(([name, { shape, size }]) => {
      const vectors = /norm.*weight$/.test(name) ? scales : shifts;
      const source = shape.length > 1 ? matrices : vectors;
      return [name, source.narrow(0, 0, size).reshape(shape)];
    }),
  );
}

function write(folder: string, dtype: Stored): void {
  using _ = tensorScope();
  mkdirSync(folder);
  writeFileSync(join(folder, "config.json"), JSON.stringify(CONFIG));
  const path = join(folder, FILE);
  saveSafetensors(path, weights(dtype));
  if (values.unaligned) shiftByOne(path);
}

/** Writes the file anew with one more space behind its header: every tensor then starts at an odd byte. */
function shiftByOne(path: string): void {
  const shifted = `${path}.shifted`;
  const [source, target] = [openSync(path, "r"), openSync(shifted, "w")];
  const prefix = Buffer.alloc(8);
  readSync(source, prefix);
  const header = Buffer.alloc(Number(prefix.readBigUInt64LE(0)));
  readSync(source, header);
  prefix.writeBigUInt64LE(BigInt(header.length + 1));
  for (const bytes of [prefix, header, Buffer.from(" ")]) writeSync(target, bytes);
  const chunk = Buffer.alloc(1 << 26);
  for (let got = readSync(source, chunk); got > 0; got = readSync(source, chunk))
    writeSync(target, chunk, 0, got);
  closeSync(source);
  closeSync(target);
  renameSync(shifted, path);
}

/** What the opening process prints of itself. */
function open(folder: string): void {
  setThreads(2);
  const file = join(folder, FILE);
  const fileBytes = statSync(file).size;
  const before = peak();
  const start = performance.now();
  const seconds = (): string => ((performance.now() - start) / 1000).toFixed(2);
  const row = (what: string): void => {
    const grown = peak() - before;
    const ratio = (grown / fileBytes).toFixed(2);
    console.log(
      `  ${what.padEnd(26)}${byteSize(grown).padStart(8)}  ${ratio} × file  at ${seconds()} s`,
    );
  };
  const network = openNetwork(folder, UNET);
  const [first] = readHeader(file).tensors.values();
  console.log(`${first?.format}, ${byteSize(fileBytes)}, ${network.parameterCount()} values`);
  row("opened");
  for (const weight of network.parameters().values()) {
    using _ = tensorScope();
    weight.sum();
  }
  row("every weight read");
  using _ = tensorScope();
  const text = Tensor.zeros([1, 77, 768]);
  const answer = noGrad(() =>
    network.forward(Tensor.ones([1, 4, 8, 8]), Tensor.full([1], 500), text),
  );
  row(`evaluated once (${Number.isFinite(answer.sum().item()) ? "finite" : "not finite"})`);
}

function main(): void {
  const root = mkdtempSync(join(values.folder ?? tmpdir(), "load-weights-"));
  try {
    const asked = values.types.split(",");
    for (const dtype of DTYPES.filter((known) => asked.includes(known))) {
      const folder = join(root, dtype);
      write(folder, dtype);
      const script = fileURLToPath(import.meta.url);
      const { status } = spawnSync(process.execPath, [script, "--open", folder], {
        stdio: "inherit",
      });
      rmSync(folder, { recursive: true });
      if (status !== 0) throw new Error(`opening the ${dtype} file failed`);
    }
  } finally {
    rmSync(root, { recursive: true });
  }
}

if (values.open) open(values.open);
else main();
