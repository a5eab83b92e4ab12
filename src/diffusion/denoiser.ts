import { Tensor, type Float } from "../engine/tensor.ts";
import { toPrediction, type Prediction, type PredictionKind } from "./prediction.ts";
import { matchTime, type Schedule } from "./schedule.ts";

/**
 * The one interface between networks and methods: what is clean and what is noise in `xt`?
 *
 * Samplers, guidance, teachers and the student know nothing else of a network.
 */
export interface Denoiser<Condition> {
  /** Splits `xt`, noised to the integer time `t` of the sampling schedule. */
  predict(xt: Float<"b ...">, t: number, condition: Condition): Prediction;
}

/** A bare network: the noisy sample, one time label per batch entry, and what it is to draw. */
export type Network<Condition> = (
  xt: Float<"b ...">,
  timeLabels: Float<"b">,
  condition: Condition,
) => Float<"b ...">;

/** How to read a bare network as a denoiser. */
export interface NetworkDenoiserOptions<Condition> {
  /** The schedule of the samples it is shown, on which it was trained. */
  readonly schedule: Schedule;
  /** What its output means. */
  readonly kind: PredictionKind;
  readonly network: Network<Condition>;
}

/** A network that knows a noise level by one label, behind the one interface. */
export function networkDenoiser<Condition>({
  schedule,
  kind,
  network,
}: NetworkDenoiserOptions<Condition>): Denoiser<Condition> {
  return {
    predict(xt, t, condition) {
      const output = network(xt, timeLabels(xt, t, { schedule }), condition);
      return toPrediction(kind, output, { xt, t, schedule });
    },
  };
}

/** The label of time `t` of `schedule` for each entry of `xt`, for a network that was `trainedOn` another: equal ᾱ, not equal t. */
export function timeLabels(
  xt: Float<"b ...">,
  t: number,
  { schedule, trainedOn = schedule }: { schedule: Schedule; trainedOn?: Schedule },
): Float<"b"> {
  return Tensor.full([xt.shape[0] ?? 1], matchTime(schedule, t, trainedOn), "float32", xt.device);
}
