import { defaultDevice } from "../engine/device.ts";
import { held, type Held } from "../engine/scope.ts";
import type { TrainConfig } from "./config.ts";
import type { Stage } from "./stage.ts";

/** Which forward pass a batch is for. */
interface Pass {
  readonly step: number;
  readonly part: number;
}

/**
 * The batches of a run, in order. On a GPU the next one is made while it still works on the one before: reading random
 * numbers and sentences for thousands of pictures takes JavaScript as long as a fifth of the step.
 *
 * A batch is pure in its pass, so nothing but time depends on when it is made.
 */
export class Batches implements Disposable {
  readonly #stage: Pick<Stage, "nextBatch">;
  readonly #config: Pick<TrainConfig, "steps" | "accumulate">;
  #prepared: (Pass & { readonly made: Held<unknown> }) | null = null;

  constructor(stage: Pick<Stage, "nextBatch">, config: Pick<TrainConfig, "steps" | "accumulate">) {
    this.#stage = stage;
    this.#config = config;
  }

  /** The batch of a pass, or the promise of its data; whoever takes it disposes of it. */
  take(step: number, part: number): Held<unknown> {
    const prepared = this.#prepared;
    this.#prepared = null;
    if (prepared?.step === step && prepared.part === part) return prepared.made;
    prepared?.made[Symbol.dispose]();
    return this.#make({ step, part });
  }

  /** Makes the batch behind that of a pass, where there is one and a GPU computes. */
  prepareAfter(step: number, part: number): void {
    const { steps, accumulate } = this.#config;
    const next = part + 1 < accumulate ? { step, part: part + 1 } : { step: step + 1, part: 0 };
    if (defaultDevice() === "cpu" || next.step >= steps) return;
    const made = this.#make(next);
    if (made.value instanceof Promise) made.value.catch(() => {}); // whoever takes it hears of it
    this.#prepared = { ...next, made };
  }

  [Symbol.dispose](): void {
    this.#prepared?.made[Symbol.dispose]();
    this.#prepared = null;
  }

  #make({ step, part }: Pass): Held<unknown> {
    return held(() => this.#stage.nextBatch(step, part));
  }
}
