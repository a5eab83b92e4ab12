// One frame through the autoencoder of Stable Diffusion 1.5 on noise weights: seconds, and the most memory beyond what the
// process held before.
//
//   node bench/open-coding.ts [side in pixels, 512] [threads, 2]
import { noGrad } from "../src/engine/autodiff.ts";
import { normal, Rng } from "../src/engine/random.ts";
import { tensorScope } from "../src/engine/scope.ts";
import { engineInfo, setThreads } from "../src/engine/settings.ts";
import type { Tensor } from "../src/engine/tensor.ts";
import { Autoencoder } from "../src/models/vae/autoencoder.ts";
import { latentStride, resolveVaeConfig } from "../src/models/vae/config.ts";
import { peakDuring } from "./full-width.ts";

const side = Number(process.argv[2] ?? 512);
setThreads(Number(process.argv[3] ?? 2));
const config = resolveVaeConfig({});
const autoencoder = new Autoencoder(Rng.seed(1), config);
const latentSide = side / latentStride(config);
const pixels = normal(Rng.seed(2), [1, 3, side, side]);
const latents = normal(Rng.seed(3), [1, config.latentChannels, latentSide, latentSide]);

function measure(what: string, work: () => Tensor): void {
  using _ = tensorScope();
  let rms = 0;
  const started = performance.now();
  const peak = peakDuring(() => (rms = noGrad(() => work().square().mean().sqrt().item())));
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${what}: ${seconds} s, ${(peak / 1e9).toFixed(2)} GB, rms ${rms.toFixed(5)}`);
}

console.log(`libtorch ${engineInfo().version}, ${side}×${side}`);
measure("encoding", () => autoencoder.latent(pixels));
measure("decoding", () => autoencoder.decode(latents));
