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

/** One edit that is drawn: its place among all, and what is said of it. */
interface AskedEdit {
  readonly row: number;
  readonly text: EditText;
  readonly caption: string;
}

/**
 * Draws edits by the edit teacher as it is used, frame by frame. Every other one is told no caption, as users seldom give
 * one.
 */
export function editsInUse(kit: EditsInUse): DrawEdits {
  const { textGuidance = {} } = kit.sampling;
  return (input, texts) => {
    using scope = tensorScope();
    const drawn = Tensor.zeros(input.shape, input.dtype, input.device);
    const asked = texts.map((text, row) => ({
      row,
      text,
      caption: row % 2 === 0 ? text.outputCaption : "",
    }));
    const byScale = Map.groupBy(asked, ({ text }) => textGuidance[text.task] ?? 1);
    for (const [scale, alike] of byScale)
      for (let first = 0; first < alike.length; first += BATCH) {
        using _ = tensorScope();
        const some = alike.slice(first, first + BATCH);
        const edits = drawBatch(kit, input, some, scale);
        some.forEach(({ row }, i) => drawn.narrow(0, row, 1).copyFrom(edits.narrow(0, i, 1)));
      }
    scope.passOutward(drawn);
    return drawn;
  };
}

/** The edits of `asked`, of which `inputs` holds the pictures; all are guided by the words as much. */
function drawBatch(
  { networks, texts, sampling }: EditsInUse,
  inputs: Float<"all c h w">,
  asked: readonly AskedEdit[],
  scale: number,
): Float<"b c h w"> {
  const { times, temperature, guidedAbove: above } = sampling;
  const guide = { image: 1, text: scale };
  const { edit } = guidedTeachers(networks, { guideEdit: guide, guideVideo: guide });
  const teacher = guidedAbove(above, { guided: edit, plain: editTeacher(networks) });
  const numbers = (of: (one: AskedEdit) => number): Tensor =>
    Tensor.from(asked.map(of), [asked.length], "int64");
  const parts = {
    input: inputs.indexSelect(
      0,
      numbers(({ row }) => row),
    ),
    firstFrame: null,
    tasks: numbers(({ text }) => TASKS.indexOf(text.task)),
    caption: texts.features(asked.map(({ caption }) => caption)),
    instruction: texts.features(asked.map(({ text }) => text.instruction)),
  };
  return drawEdits(teacher, stackedCondition(parts, texts.features([""])), {
    schedule: networks.schedule,
    steps: times.length,
    times,
    temperature,
    rng: Rng.seed(0).split("in use").split(asked[0]!.row),
  });
}
