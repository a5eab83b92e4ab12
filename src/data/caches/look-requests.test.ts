import { describe, expect, test } from "vitest";
import { restyled } from "../world/held-out-styles.ts";
import { LOOK_NAMES, type Look } from "../world/looks.ts";
import { renderFrame } from "../world/render.ts";
import { finished, lookRequestAt, tasksOf } from "./look-requests.ts";

const SIZE = 32;
const styles = LOOK_NAMES.style.map((name): Look => ({ type: "style", name }));
const subjects = LOOK_NAMES.subject.map((name): Look => ({ type: "subject", name }));

describe.each([...styles, ...subjects])("requests with the look $type:$name", (look) => {
  const tasks = tasksOf(look);
  const requests = Array.from({ length: 2 * tasks.length }, (_, index) =>
    lookRequestAt(look, "validation", index),
  );

  test("are of its tasks in turn, and of no style of the world", () => {
    expect(requests.map(({ task }) => task)).toEqual([...tasks, ...tasks]);
    expect(requests.every(({ scene }) => scene.style === "plain")).toBe(true);
    expect(tasks).not.toContain("style");
  });

  test("are of scenes of their own split", () => {
    const scenes = new Set(requests.map(({ scene }) => JSON.stringify(scene)));
    for (let index = 0; index < requests.length; index++)
      scenes.add(JSON.stringify(lookRequestAt(look, "train", index).scene));
    expect(scenes.size).toBe(2 * requests.length);
  });
});

test("a style goes over a drawn frame; a subject is in the scene, and leaves the frame alone", () => {
  const { scene } = lookRequestAt(styles[0]!, "validation", 0);
  const plain = (): Uint8Array => renderFrame(scene, 0, SIZE);
  for (const name of LOOK_NAMES.style) {
    const styled = finished({ type: "style", name }, plain(), SIZE);
    expect(styled).toEqual(restyled(plain(), SIZE, name));
    expect(styled).not.toEqual(plain());
  }
  for (const look of subjects) expect(finished(look, plain(), SIZE)).toEqual(plain());
});
