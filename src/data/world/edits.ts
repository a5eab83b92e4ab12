import { DRAW_EDIT } from "./draw-edit.ts";
import type { Edit, SingleEdit } from "./edit.ts";
import { instruction } from "./instructions.ts";
import { caption } from "./language.ts";
import { describeOutcome } from "./outcome.ts";
import { WorldRng } from "./rng.ts";
import type { Scene } from "./scene.ts";
import { drawScene, type SceneOdds } from "./sample.ts";
import type { Split } from "./splits.ts";
import type { Task } from "./tasks.ts";

/** What an editor is given: a scene to draw, the words, and no edited scene. */
export interface WorldEdit {
  readonly split: Split;
  readonly task: Task;
  readonly scene: Scene;
  readonly edit: Edit;
  readonly instruction: string;
  readonly inputCaption: string;
  readonly outputCaption: string;
}

/** The types of edit that make up each task, by how often they are drawn. */
const TYPES: Readonly<Record<Exclude<Task, "multiple">, readonly SingleEdit["type"][]>> = {
  style: ["style"],
  background: ["background"],
  object: ["replace"],
  add: ["add-accessory", "add-accessory", "add-object"],
  remove: ["remove-object", "remove-object", "remove-accessory"],
  texture: ["repaint"],
};

/** Edits whose effect another style, or each other, would hide or confuse. */
const COMBINABLE: readonly (readonly [SingleEdit["type"], SingleEdit["type"]])[] = [
  ["repaint", "background"],
  ["background", "repaint"],
  ["repaint", "repaint"],
  ["repaint", "add-accessory"],
  ["add-accessory", "repaint"],
  ["repaint", "remove-object"],
  ["remove-object", "background"],
  ["add-accessory", "background"],
  ["background", "add-accessory"],
  ["replace", "background"],
  ["background", "replace"],
  ["replace", "repaint"],
  ["remove-accessory", "background"],
  ["add-object", "background"],
  ["add-object", "repaint"],
  ["background", "style"],
  ["replace", "style"],
  ["remove-object", "style"],
];

/** The edit of one index of a split and task: a pure function of the three. */
export function sampleEdit(split: Split, index: number, task: Task): WorldEdit {
  for (let attempt = 0; ; attempt++) {
    const rng = new WorldRng("edit", split, task, index, attempt);
    const scene = drawScene(rng, oddsOf(task));
    const edit = task === "multiple" ? drawBoth(rng, scene) : drawSingle(rng, scene, task);
    if (edit === undefined || scene.style === "pixel-art") continue;
    return {
      split,
      task,
      scene,
      edit,
      instruction: instruction(scene, edit, rng, split),
      inputCaption: caption(scene, rng, split),
      outputCaption: caption(describeOutcome(scene, edit), rng, split),
    };
  }
}

function oddsOf(task: Task): SceneOdds {
  const needsPlain = task === "style" || task === "texture" || task === "multiple";
  return {
    styled: needsPlain ? 0 : 0.07,
    accessory: task === "remove" ? 0.5 : 0.2,
    textured: 0.35,
  };
}

function drawSingle(
  rng: WorldRng,
  scene: Scene,
  task: Exclude<Task, "multiple">,
): Edit | undefined {
  return DRAW_EDIT[rng.pick(TYPES[task])](rng, scene);
}

function drawBoth(rng: WorldRng, scene: Scene): Edit | undefined {
  const [firstType, secondType] = rng.pick(COMBINABLE);
  const first = DRAW_EDIT[firstType](rng, scene);
  const second = DRAW_EDIT[secondType](rng, scene);
  if (first === undefined || second === undefined) return undefined;
  const isSameTarget = "object" in first && "object" in second && first.object === second.object;
  return isSameTarget ? undefined : { type: "both", first, second };
}
