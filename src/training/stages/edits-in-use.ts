import type { DrawEdits } from "../../data/caches/drawn-edits.ts";
import type { EditText } from "../../data/caches/latents.ts";
import type { TextCache } from "../../data/caches/text-cache.ts";
import { TASKS } from "../../data/world/tasks.ts";
import { guidedAbove } from "../../diffusion/guidance.ts";
import { Rng } from "../../engine/random.ts";
import { tensorScope } from "../../engine/scope.ts";
import { Tensor, type Float } from "../../engine/tensor.ts";
import { drawEdits, guidedTeachers } from "../../eve/distillation/teacher-samples.ts";
import type { SamplingDefaults } from "../../eve/model/model-description.ts";
import { editTeacher, stackedCondition, type Networks } from "../../eve/stack/teachers.ts";

/** Edits that are drawn at once. */
const BATCH = 32;

/** What draws edits, and how. */
export interface EditsInUse {
  readonly networks: Networks;
  readonly texts: TextCache;
  /** As the model is sampled in use: its times, its noise, and how much some tasks are guided. */
  readonly sampling: SamplingDefaults;
}

/**
 * Draws edits by the edit teacher as it is used, frame by frame. Every other one is told no caption, as users seldom give
 * one.
 */
export function editsInUse({ networks, texts, sampling }: EditsInUse): DrawEdits {
  const { schedule } = networks;
  const { times, temperature, textGuidance = {}, guidedAbove: above } = sampling;
  const batch = (input: Float<"b c h w">, rows: readonly number[], own: readonly EditText[]) => {
    const guide = { image: 1, text: textGuidance[own[0]!.task] ?? 1 };
    const { edit } = guidedTeachers(networks, { guideEdit: guide, guideVideo: guide });
    const teacher = guidedAbove(above, { guided: edit, plain: editTeacher(networks) });
    const parts = {
      input,
      firstFrame: null,
      tasks: Tensor.from(
        own.map(({ task }) => TASKS.indexOf(task)),
        [own.length],
        "int64",
      ),
      caption: texts.features(
        own.map(({ outputCaption }, i) => (rows[i]! % 2 === 0 ? outputCaption : "")),
      ),
      instruction: texts.features(own.map(({ instruction }) => instruction)),
    };
    const rng = Rng.seed(0).split("in use").split(rows[0]!);
    const condition = stackedCondition(parts, texts.features([""]));
    return drawEdits(teacher, condition, {
      schedule,
      steps: times.length,
      times,
      temperature,
      rng,
    });
  };
  return (input, all) => {
    using scope = tensorScope();
    const drawn = Tensor.zeros(input.shape, input.dtype, input.device);
    const groups = Map.groupBy(all.keys(), (row) => textGuidance[all[row]!.task] ?? 1);
    for (const rows of groups.values())
      for (let first = 0; first < rows.length; first += BATCH) {
        using _ = tensorScope();
        const some = rows.slice(first, first + BATCH);
        const places = Tensor.from(some, [some.length], "int64");
        const edits = batch(
          input.indexSelect(0, places),
          some,
          some.map((row) => all[row]!),
        );
        some.forEach((row, i) => drawn.narrow(0, row, 1).copyFrom(edits.narrow(0, i, 1)));
      }
    scope.passOutward(drawn);
    return drawn;
  };
}
