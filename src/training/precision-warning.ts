import { isFastInBfloat16 } from "../engine/settings.ts";
import type { TrainConfig } from "./config.ts";
import type { Stage } from "./stage.ts";

/** What to tell whoever trains in bfloat16 where that is slower than float32; undefined where it is not. */
export function precisionWarning(
  { precision }: Pick<TrainConfig, "precision">,
  { trainable }: Pick<Stage, "trainable">,
  isFast: (device: string) => boolean = isFastInBfloat16,
): string | undefined {
  const [weight] = trainable.values();
  if (precision !== "bfloat16" || isFast(weight?.device ?? "cpu")) return undefined;
  return (
    "this processor has no bfloat16 instructions and trains several times slower in it: " +
    "stop, and start anew with --set precision=float32"
  );
}
