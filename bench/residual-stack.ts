// The same training step through our engine and through PyTorch, step by step in turn, on the same libtorch.
//
//   node bench/residual-stack.ts [--precision bfloat16] [--channels-last] [--steps 12] [--threads 2]
//                                [--python /usr/bin/python3]
//
// Set ATEN_CPU_CAPABILITY=avx512 where the CPU has it: libtorch 1.13 settles for AVX2 otherwise, in both.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { setThreads } from "../src/engine/settings.ts";
import { residualStep } from "./residual-step.ts";

const { values } = parseArgs({
  options: {
    precision: { type: "string", default: "float32" },
    "channels-last": { type: "boolean", default: false },
    steps: { type: "string", default: "12" },
    threads: { type: "string", default: "2" },
    python: { type: "string", default: "/usr/bin/python3" },
  },
});
const precision = z.enum(["float32", "bfloat16"]).parse(values.precision);
const channelsLast = values["channels-last"];
const steps = Number(values.steps);

const WARM_UP = 2;
const Answer = z.strictObject({ ms: z.number(), loss: z.number() });
type Answer = z.infer<typeof Answer>;

const script = fileURLToPath(new URL("residual_stack.py", import.meta.url));
const python = spawn(values.python, [script, precision, String(channelsLast), values.threads], {
  stdio: ["pipe", "pipe", "inherit"],
});
const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();

async function stepThere(): Promise<Answer> {
  python.stdin.write("step\n");
  const { value, done } = await answers.next();
  if (done) throw new Error("Python ended: is PyTorch installed for it (Debian: python3-torch)?");
  return Answer.parse(JSON.parse(value));
}

setThreads(Number(values.threads));
const step = residualStep({ precision, channelsLast });

function stepHere(): Answer {
  const started = performance.now();
  const loss = step();
  return { ms: performance.now() - started, loss };
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.round((sorted.length - 1) * share)] ?? NaN;
}

function summary(name: string, times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  const [low, median, high] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, share));
  console.log(
    `${name}: median ${median?.toFixed(1)} ms (quartiles ${low?.toFixed(1)} … ${high?.toFixed(1)})`,
  );
  return median ?? NaN;
}

const here: Answer[] = [];
const there: Answer[] = [];
for (let index = 0; index < WARM_UP + steps; index++) {
  // Who goes first alternates too.
  if (index % 2 === 0) here.push(stepHere());
  there.push(await stepThere());
  if (index % 2 === 1) here.push(stepHere());
}
python.stdin.end();

const drift = Math.max(
  ...here.map(({ loss }, index) => Math.abs(loss / (there[index]?.loss ?? NaN) - 1)),
);
console.log(
  `residual stack, ${precision}${channelsLast ? ", channels last" : ""}, ${steps} steps each`,
);
console.log(`largest difference between the two losses: ${(drift * 100).toFixed(4)} %`);
const ours = summary(
  "open-eve",
  here.slice(WARM_UP).map(({ ms }) => ms),
);
const theirs = summary(
  "PyTorch",
  there.slice(WARM_UP).map(({ ms }) => ms),
);
console.log(`ratio ours / PyTorch: ${(ours / theirs).toFixed(3)} (target ≤ 1.10)`);
