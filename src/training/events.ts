import type { AskedSteps, TrainConfig } from "./config.ts";

/** What happens while a stage trains. Steps are numbers of steps done: the first step ends as 1. */
export type TrainEvent =
  | {
      readonly type: "run-started";
      readonly stage: string;
      readonly directory: string;
      /** Steps done before: 0 for a new run, otherwise where the checkpoint was written. */
      readonly step: number;
      readonly steps: number;
      /** The numbers of steps that the run was asked for, this one last; more than one where it goes on with another. */
      readonly asked: readonly AskedSteps[];
      readonly trainableValues: number;
      readonly frozenValues: number;
      readonly config: TrainConfig;
    }
  | {
      /** A checkpoint that could not be read; the one before it is used. */
      readonly type: "checkpoint-damaged";
      readonly path: string;
      readonly reason: string;
    }
  | StepEnd
  | {
      /** An update left out because a loss or the gradient was not finite. */
      readonly type: "step-skipped";
      readonly step: number;
      /** Skipped steps without a good one between. */
      readonly inARow: number;
      readonly reason: string;
    }
  | {
      readonly type: "validation-end";
      readonly step: number;
      readonly numbers: Readonly<Record<string, number>>;
    }
  | { readonly type: "samples-written"; readonly step: number; readonly paths: readonly string[] }
  | { readonly type: "checkpoint-saved"; readonly step: number; readonly path: string }
  | {
      readonly type: "run-end";
      readonly step: number;
      /** Whether all steps are done, or the signal asked to stop. */
      readonly reason: "finished" | "stopped";
      /** The final weights, where the run is finished. */
      readonly weights: string | null;
    };

/** One step done, with everything a progress line and a curve need. */
export interface StepEnd {
  readonly type: "step-end";
  readonly step: number;
  readonly steps: number;
  /** Named terms, unweighted, averaged over the accumulated parts. */
  readonly losses: Readonly<Record<string, number>>;
  /** Their weighted sum: what was differentiated. */
  readonly total: number;
  /** Global norm before clipping. */
  readonly gradNorm: number;
  /** Norm of each term's gradient where the stage looks at it, in steps in which it does. */
  readonly termGradients?: Readonly<Record<string, number>>;
  readonly lr: number;
  /** Over the last twenty steps or so. */
  readonly samplesPerSecond: number;
  /** Seconds to the end of the run, at the pace of this session. */
  readonly etaSeconds: number;
}
