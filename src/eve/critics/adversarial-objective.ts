import { noGrad } from "../../engine/autodiff.ts";
import { checkpoint } from "../../engine/checkpoint.ts";
import { ConfigError } from "../../engine/errors.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, type Float, type Pixels } from "../../engine/tensor.ts";
import type { Parameters } from "../../nn/module.ts";
import type { Term } from "../distillation/distillation-config.ts";
import { asSeenBy, type Adversary, type Terms } from "../distillation/distillation.ts";
import type { StackedCondition } from "../stack/teachers.ts";
import { criticLoss, generatorLoss } from "./adversarial.ts";
import type { AdversarialConfig, AugmentationConfig } from "./critic-config.ts";
import type { EditCritic, Scores, Sight, VideoCritic } from "./critics.ts";
import { augment, drawAugmentation } from "./differentiable-augmentation.ts";

/** Both critics with what they need to judge latents. */
export interface Jury {
  readonly edit: EditCritic;
  readonly video: VideoCritic;
  /** Latents to pixels; pure and differentiable, its weights frozen. */
  readonly decode: (latents: Float<"(b f) c h w">) => Pixels<"(b f) 3 h w">;
  /** Whether the backward pass decodes once more, instead of memory holding the decoder's intermediates; default true. */
  readonly recompute?: boolean;
  readonly losses: AdversarialConfig;
  readonly augmentation: AugmentationConfig;
}

/** The frames of one iteration, augmented alike; `fake` are the student's. */
interface Frames {
  readonly fake: Pixels<"(b f) 3 h w">;
  readonly real: Pixels<"(b f) 3 h w">;
}

/** One critic with what it saw of both, and how it scores either. */
interface Bench {
  readonly weights: Parameters;
  readonly fake: Sight;
  readonly real: Sight;
  readonly score: (seen: Sight) => Scores;
}

/**
 * The adversarial objective of the critics whose `gen` term is named (§3.2), both sides of it on one look at the
 * student's edit.
 *
 * `L_G` sees critics that are constants and `L_D` a student that is one, so one backward pass of their sum moves each
 * by its own. Real, drawn and input frames are augmented alike. Watched beside the losses, with no weight of their
 * own: the mean scores `realEdit`, `fakeEdit`, `realVideo`, `fakeVideo`; where R1 is on, `r1Edit` and `r1Video`, before γ.
 */
export function adversary(jury: Jury, terms: readonly Term[]): Adversary {
  return (role) =>
    (cast, x0, { condition, real }, rng) => {
      if (!real) {
        throw new ConfigError(
          "expected samples of the teachers for the critics to compare, got none",
        );
      }
      const show = viewOf(jury, condition.caption.shape[0]!, rng.split("augmentation"));
      const known = (latents: Tensor): Pixels => noGrad(() => show(latents));
      // Decoded for each critic only where somebody asks how large each one's gradient is
      const isWatched = role === "judge" && cast.onGradient !== undefined;
      const common = isWatched ? null : show(role === "judge" ? x0 : x0.detach());
      const drawnFor = (term: Term): Pixels => common ?? show(asSeenBy(cast, term, x0));
      const benches = {
        Edit: () => {
          const frames = { fake: drawnFor("genEdit"), real: known(real.edit) };
          return editBench(jury.edit, frames, known, condition);
        },
        Video: () => {
          const frames = { fake: drawnFor("genVideo"), real: known(real.video) };
          return videoBench(jury.video, frames, condition);
        },
      };
      const named = (["Edit", "Video"] as const).filter((name) => terms.includes(`gen${name}`));
      return Object.assign({}, ...named.map((name) => verdict(name, role, benches[name](), jury)));
    };
}

/** How the critics are shown latents of `clips` clips in one iteration: decoded, and all augmented alike. */
function viewOf(
  { decode, recompute = true, augmentation }: Jury,
  clips: number,
  rng: Rng,
): (latents: Tensor) => Pixels {
  const drawn = drawAugmentation(rng, clips, augmentation);
  // The decoder's intermediates are the largest of an iteration: they are better computed again than kept
  return (latents) => augment(recompute ? checkpoint(decode, latents) : decode(latents), drawn);
}

function editBench(
  critic: EditCritic,
  { fake, real }: Frames,
  show: (latents: Tensor) => Pixels,
  { input: latents, instruction }: StackedCondition,
): Bench {
  const input = noGrad(() => critic.see(show(latents)));
  return {
    weights: critic.parameters(),
    fake: critic.see(fake),
    real: noGrad(() => critic.see(real)),
    score: (seen) => critic.score(seen, { input, instruction }),
  };
}

function videoBench(
  critic: VideoCritic,
  { fake, real }: Frames,
  { caption }: StackedCondition,
): Bench {
  return {
    weights: critic.parameters(),
    fake: critic.see(fake),
    real: noGrad(() => critic.see(real)),
    score: (seen) => critic.score(seen, caption),
  };
}

/** The terms of one critic. */
function verdict(
  name: "Edit" | "Video",
  role: "learn" | "judge",
  { weights, fake, real, score }: Bench,
  { losses }: Pick<Jury, "losses">,
): Terms {
  const constant = { ...fake, tokens: fake.tokens.map((tokens) => tokens.detach()) };
  const found = criticLoss(score, { real, fake: constant }, losses);
  const judged = (): Terms => ({
    [`gen${name}`]: asConstants(weights, () => generatorLoss(score(fake), losses.generator)),
  });
  return {
    ...(role === "judge" ? judged() : {}),
    [`critic${name}`]: found.loss,
    [`real${name}`]: Tensor.scalar(found.real),
    [`fake${name}`]: Tensor.scalar(found.fake),
    // Within the critic's loss it cannot be told from what the critic takes for the other
    ...(losses.r1 > 0 && { [`r1${name}`]: Tensor.scalar(found.r1) }),
  };
}

/** Runs `work` with `weights` as constants: what it records does not reach them. */
function asConstants<T>(weights: Parameters, work: () => T): T {
  const leaves = [...weights.values()].filter(({ requiresGrad }) => requiresGrad);
  for (const leaf of leaves) leaf.setRequiresGrad(false);
  try {
    return work();
  } finally {
    for (const leaf of leaves) leaf.setRequiresGrad(true);
  }
}
