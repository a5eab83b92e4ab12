import { Rng } from "../engine/random.ts";
import { Autoencoder } from "../models/vae/autoencoder.ts";
import type { TrainConfig } from "../training/config.ts";
import type { Stage, StageContext } from "../training/stage.ts";
import { autoencoderStage } from "../training/stages/autoencoder.ts";
import { TINY_AUTOENCODER } from "./tiny-networks.ts";

/** The autoencoder, from random weights. */
export async function openAutoencoder(config: TrainConfig, context: StageContext): Promise<Stage> {
  const model = new Autoencoder(Rng.seed(config.seed).split("autoencoder"), TINY_AUTOENCODER);
  return (await autoencoderStage(model, config, context)) as Stage;
}
