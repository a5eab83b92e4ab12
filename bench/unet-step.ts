// Samples per second of a training step of the tiny U-Net: node bench/unet-step.ts [batch] [threads]
import { Rng, normal } from "../src/engine/random.ts";
import { tensorScope } from "../src/engine/scope.ts";
import { autocast, engineInfo, isFastInBfloat16, setThreads } from "../src/engine/settings.ts";
import { Tensor } from "../src/engine/tensor.ts";
import { UNet } from "../src/models/unet/unet.ts";
import { TINY_UNET } from "../src/presets/tiny-networks.ts";

const batch = Number(process.argv[2] ?? 32);
const threads = Number(process.argv[3] ?? 2);
const STEPS = 8;

setThreads(threads);
const unet = new UNet(Rng.seed(1), TINY_UNET).setTrainable(true);
const x = normal(Rng.seed(2), [batch, TINY_UNET.inChannels, 16, 16]);
const t = Tensor.full([batch], 500);
const text = normal(Rng.seed(3), [batch, 36, TINY_UNET.crossAttentionDim]);

function seconds(precision: "bfloat16" | "float32"): number[] {
  const step = (): number => {
    using _ = tensorScope();
    const start = performance.now();
    const loss = autocast(precision, () => unet.forward(x, t, text).sub(x).square().mean());
    loss.backward();
    return (performance.now() - start) / 1000;
  };
  step();
  return Array.from({ length: STEPS }, step).toSorted((a, b) => a - b);
}

console.log(
  `libtorch ${engineInfo().version}, batch ${batch}, ${threads} threads, forward and backward`,
);
const precisions = isFastInBfloat16("cpu")
  ? (["bfloat16", "float32"] as const)
  : (["float32"] as const);
for (const precision of precisions) {
  const times = seconds(precision);
  const rate = (index: number): string => (batch / times[index]!).toFixed(0);
  console.log(`${precision}: best ${rate(0)}, median ${rate(STEPS / 2)} samples/s`);
}
