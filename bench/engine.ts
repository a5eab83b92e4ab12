// What the engine costs: µs per small operator, memory over many steps, one training step of a residual stack.
//
//   node bench/engine.ts [--steps 100000] [--precision bfloat16] [--channels-last]
import { parseArgs } from "node:util";
import { z } from "zod";
import { noGrad } from "../src/engine/autodiff.ts";
import { normal, Rng } from "../src/engine/random.ts";
import { tensorScope } from "../src/engine/scope.ts";
import { engineInfo, setThreads } from "../src/engine/settings.ts";
import { Tensor } from "../src/engine/tensor.ts";
import { Linear } from "../src/nn/linear.ts";
import { median } from "./median.ts";
import { residualStep } from "./residual-step.ts";

const { values } = parseArgs({
  options: {
    steps: { type: "string", default: "100000" },
    precision: { type: "string", default: "float32" },
    "channels-last": { type: "boolean", default: false },
  },
});
const precision = z.enum(["float32", "bfloat16"]).parse(values.precision);

/** The median over 20 rounds of the time of one call, in µs. */
function microseconds(work: () => unknown): number {
  const calls = 2000;
  const rounds = Array.from({ length: 20 }, () => {
    using _ = tensorScope();
    const started = performance.now();
    for (let call = 0; call < calls; call++) work();
    return ((performance.now() - started) * 1000) / calls;
  });
  return median(rounds);
}

function smallOperators(): void {
  const x = Tensor.ones([16]);
  const weight = Tensor.ones([16]).setRequiresGrad(true);
  const cases = {
    "add of 16 floats": () => x.add(x),
    "the same, freed each time": () => {
      using _ = tensorScope();
      x.add(x);
    },
    "the same, recording a graph": () => x.add(weight),
    "the same, and reading its shape": () => x.add(x).shape,
    "multiply by a number": () => x.mul(0.5),
  };
  console.log("one small operator (target ≤ 6 µs)");
  for (const [name, work] of Object.entries(cases)) {
    console.log(`  ${name}: ${microseconds(work).toFixed(2)} µs`);
  }
}

/** A small network learning a line: everything a real step does, at the size where overhead is all there is. */
function smallTraining(): () => number {
  const layers = [new Linear(Rng.seed(1), 4, 8), new Linear(Rng.seed(2), 8, 1)] as const;
  const weights = layers.flatMap((layer) => [...layer.setTrainable(true).parameters().values()]);
  const x = normal(Rng.seed(3), [16, 4]);
  const y = x.sum([1], { keepDim: true });
  return () => {
    using _ = tensorScope();
    const found = layers[1].forward(layers[0].forward(x).silu());
    const loss = found.sub(y).square().mean();
    loss.backward();
    noGrad(() => {
      for (const weight of weights) {
        const { grad } = weight;
        if (grad) weight.blendInPlace(grad, 1, -0.001);
        weight.clearGrad();
      }
    });
    return loss.item();
  };
}

function memory(steps: number): void {
  const step = smallTraining();
  const warmUp = Math.min(5000, steps);
  for (let index = 0; index < warmUp; index++) step();
  const before = process.memoryUsage().rss;
  const liveBefore = engineInfo().liveTensors;
  const started = performance.now();
  let loss = NaN;
  for (let index = 0; index < steps; index++) loss = step();
  const perStep = ((performance.now() - started) * 1000) / steps;
  const grown = (process.memoryUsage().rss - before) / 2 ** 20;
  const live = engineInfo().liveTensors - liveBefore;
  console.log(
    `${steps} small training steps: ${perStep.toFixed(0)} µs a step, loss ${loss.toExponential(1)}`,
  );
  console.log(
    `memory grown by ${grown.toFixed(1)} MiB (target < 20), live tensors by ${live} (target 0)`,
  );
}

function residualStack(): void {
  setThreads(2);
  const step = residualStep({ precision, channelsLast: values["channels-last"] });
  const times = Array.from({ length: 8 }, () => {
    const started = performance.now();
    step();
    return performance.now() - started;
  });
  console.log(
    `residual stack training step, ${precision}: median ${median(times.slice(2)).toFixed(0)} ms`,
  );
}

setThreads(1);
smallOperators();
memory(Number(values.steps));
residualStack();
