import { openDrawnEdits } from "../data/caches/drawn-edits.ts";
import type { TrainConfig } from "../training/config.ts";
import type { Stage, StageContext } from "../training/stage.ts";
import { decoderStage } from "../training/stages/decoder.ts";
import { DecoderSettings } from "../training/stages/settings.ts";
import { openDrawingModel } from "./tiny-drawn-edits.ts";

/** The decoder of the model's autoencoder, from the weights that it has. */
export async function openDecoder(config: TrainConfig, context: StageContext): Promise<Stage> {
  const settings = DecoderSettings.parse(config.stage);
  const { autoencoder, networks, source, report } = openDrawingModel(settings, context);
  const train = await openDrawnEdits(source("train", settings.items), report);
  const held = await openDrawnEdits(source("validation", settings.held), report);
  return decoderStage(autoencoder, { train, held, frozen: networks }, config);
}
