import type { Edit } from "../world/edit.ts";
import type { WorldEdit } from "../world/edits.ts";
import { instruction } from "../world/instructions.ts";
import { caption } from "../world/language.ts";
import { describeOutcome } from "../world/outcome.ts";
import { renderFrame } from "../world/render.ts";
import { WorldRng } from "../world/rng.ts";
import { sampleScene } from "../world/sample.ts";
import { CLASS_OF, type Scene, type Subject } from "../world/scene.ts";
import type { Split } from "../world/splits.ts";
import type { Task } from "../world/tasks.ts";
import type { DrawItem } from "./drawn-item.ts";
import { frameOf } from "./frame-number.ts";
import { plainRequestAt } from "./plain-requests.ts";

/** Single pictures that show a held-out subject; their words are a caption that names it. */
export interface SubjectKind {
  readonly split: Split;
  readonly name: Subject;
}

/** The tasks that bring a subject into a picture: in the place of something, or beside it. */
export const SUBJECT_TASKS = ["object", "add"] as const satisfies readonly Task[];

/**
 * Request `index` for bringing `subject` into a picture (§4.4): replace a thing by it, or add it. The scene has no other
 * thing of its kind.
 */
export function subjectRequestAt(split: Split, index: number, subject: Subject): WorldEdit {
  return plainRequestAt(split, index, SUBJECT_TASKS, (request, number) => {
    const { scene, task } = request;
    const edit = about(request.edit, subject);
    const hasOther = scene.objects.some(({ kind }) => kind === CLASS_OF[subject]);
    if (edit === null || hasOther) return null;
    const rng = new WorldRng("subject", split, task, number);
    return {
      ...request,
      edit,
      instruction: instruction(scene, edit, rng, split),
      outputCaption: caption(describeOutcome(scene, edit), rng, split),
    };
  });
}

/** The same edit with the subject as what is new; null where nothing is. */
function about(edit: Edit, subject: Subject): Edit | null {
  if (edit.type === "replace") return { type: "replace", object: edit.object, kind: subject };
  if (edit.type === "add-object") return { ...edit, look: { ...edit.look, kind: subject } };
  return null;
}

/** A plain scene one of whose things, the nearest, is the subject, and nothing else of its kind. */
function sceneWith(subject: Subject, split: Split, index: number): Scene {
  const scene = sampleScene(split, index);
  const objects = scene.objects
    .map((object, i) =>
      i === scene.objects.length - 1 ? { ...object, kind: subject, accessories: [] } : object,
    )
    .filter(({ kind }) => kind !== CLASS_OF[subject]);
  return { ...scene, objects, style: "plain" };
}

/** One frame of a scene that has the subject in it, with its caption. */
export const draw: DrawItem<SubjectKind> = ({ split, name }, index, size) => {
  const scene = sceneWith(name, split, index);
  return {
    frames: [renderFrame(scene, frameOf(index), size)],
    text: caption(scene, new WorldRng("subject caption", split, index), split),
  };
};
