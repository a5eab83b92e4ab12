import type { Edit } from "../world/edit.ts";
import { sampleEdit, type EditRequest } from "../world/edits.ts";
import { instruction } from "../world/instructions.ts";
import { caption } from "../world/language.ts";
import { describeOutcome } from "../world/outcome.ts";
import { renderFrame } from "../world/render.ts";
import { Rng as WorldRng } from "../world/rng.ts";
import { sampleScene } from "../world/sample.ts";
import type { Scene, Subject } from "../world/scene.ts";
import type { Split } from "../world/splits.ts";
import type { Task } from "../world/tasks.ts";
import type { DrawItem } from "./drawn-item.ts";
import { frameOf } from "./frame-number.ts";

/** Single pictures that show a held-out subject; their words are a caption that names it. */
export interface SubjectKind {
  readonly split: Split;
  readonly name: Subject;
}

/** The tasks that bring a subject into a picture: in the place of something, or beside it. */
export const SUBJECT_TASKS = ["object", "add"] as const satisfies readonly Task[];

/** Requests that are tried for one that can be about the subject. */
const ATTEMPTS = 64;

/** Request `index` for bringing `subject` into a picture (§4.4): replace a thing by it, or add it. */
export function subjectRequestAt(split: Split, index: number, subject: Subject): EditRequest {
  const task = SUBJECT_TASKS[index % SUBJECT_TASKS.length]!;
  const first = Math.floor(index / SUBJECT_TASKS.length) * ATTEMPTS;
  for (let number = first; number < first + ATTEMPTS; number++) {
    const request = sampleEdit(split, number, task);
    const edit = about(request.edit, subject);
    if (edit === null || request.scene.style !== "plain") continue;
    const { scene } = request;
    const rng = new WorldRng("subject", split, task, number);
    return {
      ...request,
      edit,
      instruction: instruction(scene, edit, rng, split),
      outputCaption: caption(describeOutcome(scene, edit), rng, split),
    };
  }
  throw new RangeError(`expected an edit about a subject among ${ATTEMPTS} of ${task}, found none`);
}

/** The same edit with the subject as what is new; null where nothing is. */
function about(edit: Edit, subject: Subject): Edit | null {
  if (edit.type === "replace") return { type: "replace", object: edit.object, kind: subject };
  if (edit.type === "add-object") return { ...edit, look: { ...edit.look, kind: subject } };
  return null;
}

/** A plain scene one of whose things, the nearest, is the subject. */
function sceneWith(subject: Subject, split: Split, index: number): Scene {
  const scene = sampleScene(split, index);
  const objects = scene.objects.map((object, i) =>
    i === scene.objects.length - 1 ? { ...object, kind: subject, accessories: [] } : object,
  );
  return { ...scene, objects, style: "plain" };
}

export const draw: DrawItem<SubjectKind> = ({ split, name }, index, size) => {
  const scene = sceneWith(name, split, index);
  return {
    frames: [renderFrame(scene, frameOf(index), size)],
    text: caption(scene, new WorldRng("subject caption", split, index), split),
  };
};
