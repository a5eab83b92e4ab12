import { openDecodedEdits } from "../data/caches/drawn-edits.ts";
import { Rng } from "../engine/random.ts";
import { DetailGates } from "../models/detail/detail-gates.ts";
import { parametersOf } from "../nn/module.ts";
import type { TrainConfig } from "../training/config.ts";
import type { Stage, StageContext } from "../training/stage.ts";
import { detailGatesStage } from "../training/stages/detail-gates.ts";
import { DetailGatesSettings } from "../training/stages/settings.ts";
import { openDrawingModel } from "./tiny-drawn-edits.ts";
import { TINY_DETAIL_GATES } from "./tiny-networks.ts";

/** Gates for the edits that the model draws, from nothing. */
export async function openDetailGates(config: TrainConfig, context: StageContext): Promise<Stage> {
  const settings = DetailGatesSettings.parse(config.stage);
  const { autoencoder, networks, source, report } = openDrawingModel(settings, context);
  const train = await openDecodedEdits(source("train", settings.items), report);
  const held = await openDecodedEdits(source("validation", settings.held), report);
  const gates = new DetailGates(Rng.seed(config.seed).split("gates"), TINY_DETAIL_GATES);
  const frozen = new Map([...networks, ...parametersOf({ autoencoder })]);
  return detailGatesStage(gates, { train, held, frozen }, config);
}
