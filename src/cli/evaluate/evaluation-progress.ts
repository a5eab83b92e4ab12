import type { WorkDone } from "../../evaluation/methods/options.ts";
import type { Reporter } from "../output.ts";

/** Reports each step of an evaluation with the time that is left, by the frames that were and will be denoised. */
export function evaluationProgress(
  report: Reporter,
  { total, steps }: { readonly total: number; readonly steps?: number },
): (work: WorkDone) => void {
  const startedAt = performance.now();
  let done = 0;
  return ({ phase, detail, step, frames }) => {
    done += frames;
    const elapsed = (performance.now() - startedAt) / 1000;
    report.progress({
      type: "progress",
      phase,
      detail,
      ...(frames > 0 && { step, ...(steps !== undefined && { steps }) }),
      ...(done > 0 && { etaSeconds: (elapsed * (total - done)) / done }),
    });
  };
}
