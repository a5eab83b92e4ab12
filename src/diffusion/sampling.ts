import { noGrad } from "../engine/autodiff.ts";
import { keep, persist, tensorScope } from "../engine/scope.ts";
import type { Float, Tensor } from "../engine/tensor.ts";
import type { Denoiser } from "./denoiser.ts";
import type { Prediction } from "./prediction.ts";
import type { Schedule } from "./schedule.ts";

/** One finished step of a sampler. */
export interface SampleStep {
  /** Steps done, from 1 to `steps`. */
  readonly step: number;
  readonly steps: number;
  /** The time at which the denoiser was asked. */
  readonly t: number;
  /**
   * What the sample would be if it ended here, at the last step what it is; it belongs to the scope of whoever asked for
   * this step.
   */
  readonly x0: Float<"b ...">;
}

/** A sampler at work: yields after every step, returns the sample. It may be left at any step. */
export type Sampling = Generator<SampleStep, Float<"b ...">, void>;

/** One time that a sampler visits, and where it goes from there: null where no noise is left. */
export interface Visit {
  readonly t: number;
  readonly to: number | null;
}

/** A visit that is over: the sample that the denoiser was shown, and its answer. */
export interface Past extends Prediction {
  readonly index: number;
  readonly t: number;
  readonly x: Float<"b ...">;
}

/** What a solver knows when it is to make a jump. */
export interface Departure extends Visit {
  /** Counted from 0. */
  readonly index: number;
  readonly x: Float<"b ...">;
  readonly prediction: Prediction;
  /** The visits before, the latest first, as many as the solver remembers. */
  readonly past: readonly Past[];
  readonly schedule: Schedule;
}

/** A way to make jumps. */
export interface Solver {
  readonly jump: (departure: Departure) => Float<"b ...">;
  /** How many past visits it looks at. */
  readonly memory: number;
}

/** What lives on from one step to the next, outside every scope. */
interface Carried {
  readonly x: Float<"b ...">;
  readonly past: readonly Past[];
}

function tensorsOf(carried: Carried | undefined): Tensor[] {
  if (!carried) return [];
  return [carried.x, ...carried.past.flatMap(({ x, x0, noise }) => [x, x0, noise])];
}

/** What a sampler is. */
export interface Method {
  readonly schedule: Schedule;
  readonly visits: readonly Visit[];
  readonly solver: Solver;
  /** What the sample it starts from is multiplied by; default 1. */
  readonly start?: number;
}

/** Visits times and makes jumps: all samplers are this with another solver. */
export function* sample<Condition>(
  denoiser: Denoiser<Condition>,
  xT: Float<"b ...">,
  condition: Condition,
  { schedule, visits, solver, start = 1 }: Method,
): Sampling {
  let carried: Carried | undefined;

  const advance = ({ t, to }: Visit, index: number): Float<"b ..."> => {
    using scope = tensorScope();
    // What the last step carried over dies with this one, unless it is carried on.
    for (const tensor of tensorsOf(carried)) scope.adopt(tensor);
    const { x, past } = carried ?? { x: start === 1 ? xT : xT.mul(start), past: [] };
    carried = undefined;
    const prediction = denoiser.predict(x, t, condition);
    const next = solver.jump({ index, x, prediction, past, t, to, schedule });
    if (index === visits.length - 1) return keep(next);
    const visited = { index, t, x: x.detach(), ...detached(prediction) };
    carried = { x: next.detach(), past: [visited, ...past].slice(0, solver.memory) };
    for (const tensor of tensorsOf(carried)) persist(tensor);
    return keep(prediction.x0);
  };

  try {
    let x0 = xT;
    for (const [index, visit] of visits.entries()) {
      x0 = noGrad(() => advance(visit, index));
      yield { step: index + 1, steps: visits.length, t: visit.t, x0 };
    }
    return x0;
  } finally {
    using scope = tensorScope();
    for (const tensor of tensorsOf(carried)) scope.adopt(tensor);
  }
}

function detached({ x0, noise }: Prediction): Prediction {
  return { x0: x0.detach(), noise: noise.detach() };
}

/** Runs a sampler to its end and hands out the sample. */
export function finish(sampling: Sampling): Float<"b ..."> {
  using _ = tensorScope();
  for (;;) {
    const { done, value } = sampling.next();
    if (done) return keep(value);
  }
}
