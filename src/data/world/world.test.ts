import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../engine/errors.ts";
import { type Edit, PLACES } from "./edit.ts";
import { editedScene } from "./edited-scene.ts";
import { sampleEdit } from "./edits.ts";
import { poseAt, viewAt } from "./motion.ts";
import { renderClip, renderFrame } from "./render.ts";
import { sampleScene } from "./sample.ts";
import * as names from "./scene.ts";
import { SPLITS } from "./splits.ts";
import { TASKS } from "./tasks.ts";
import { renderTriplet } from "./triplet.ts";

const range = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Share of pixels where two frames differ by more than 0.1 in any channel, as the evaluation counts it. */
function changedShare(a: Uint8Array, b: Uint8Array): number {
  const differ = (i: number) => Math.abs(a[i]! - b[i]!) > 25.5;
  let changed = 0;
  for (let i = 0; i < a.length; i += 3) {
    if (differ(i) || differ(i + 1) || differ(i + 2)) changed++;
  }
  return changed / (a.length / 3);
}

describe("scenes", () => {
  test("have as many kinds of everything as the world promises", () => {
    expect(names.KINDS.length).toBeGreaterThanOrEqual(12);
    expect(names.COLOURS.length).toBeGreaterThanOrEqual(12);
    expect(names.TEXTURES.length).toBeGreaterThanOrEqual(8);
    expect(names.BACKGROUNDS.length).toBeGreaterThanOrEqual(8);
    expect(names.STYLES.length - 1).toBeGreaterThanOrEqual(6);
    expect(names.MOTION_TYPES.length).toBeGreaterThanOrEqual(6);
    expect(names.ACCESSORIES.length).toBeGreaterThanOrEqual(6);
  });

  test("depend on split and index alone, whatever was drawn before", () => {
    const forwards = range(50).map((i) => sampleScene("train", i));
    const backwards = range(50)
      .map((i) => sampleScene("train", 49 - i))
      .toReversed();
    expect(backwards).toEqual(forwards);
    expect(JSON.parse(JSON.stringify(forwards))).toEqual(forwards);
  });

  test("are never the same in two splits", () => {
    const scenes = SPLITS.flatMap((split) =>
      range(1000).map((i) => JSON.stringify(sampleScene(split, i))),
    );
    expect(new Set(scenes).size).toBe(scenes.length);
  });

  test("never have two objects of one kind", () => {
    for (const i of range(500)) {
      const kinds = sampleScene("train", i).objects.map(({ kind }) => kind);
      expect(new Set(kinds).size).toBe(kinds.length);
    }
  });

  test("keep the centre of every object in view for 600 frames", () => {
    for (const i of range(60)) {
      const scene = sampleScene("train", i);
      for (let frame = 0; frame < 600; frame += 7) {
        const view = viewAt(scene.camera, frame);
        for (const object of scene.objects) {
          const { x, y } = poseAt(object, frame);
          expect(Math.abs(x - view.x) * view.scale).toBeLessThan(0.5);
          expect(Math.abs(y - view.y) * view.scale).toBeLessThan(0.5);
        }
      }
    }
  });
});

describe("frames", () => {
  test.each([16, 64])("are the same whatever was drawn before them, %i pixels wide", (size) => {
    const draw = (i: number) => renderFrame(sampleScene("train", i), i, size);
    const forwards = range(20).map(draw);
    const backwards = range(20).toReversed().map(draw).toReversed();
    for (const i of range(20)) expect(backwards[i]).toEqual(forwards[i]);
  });

  test("hold size × size × 3 bytes, at any size and any frame", () => {
    const scene = sampleScene("train", 0);
    expect(renderFrame(scene, 0, 128)).toHaveLength(128 * 128 * 3);
    expect(renderFrame(scene, 100_000, 50)).toHaveLength(50 * 50 * 3);
  });

  test("of a clip are those that are drawn one by one", () => {
    const scene = sampleScene("train", 3);
    expect(renderClip(scene, 3, 32)).toEqual(
      [0, 1, 2].map((frame) => renderFrame(scene, frame, 32)),
    );
  });

  test("of a drifting background come back after a period, without a seam", () => {
    const still = { type: "still", period: 1, x: 0, y: 0, zoom: 0 } as const;
    const scene = {
      ...sampleScene("train", 0),
      objects: [],
      camera: still,
      style: "plain",
    } as const;
    for (const background of names.BACKGROUNDS) {
      const shifted = { ...scene, background, drift: 1 / 4 };
      expect(renderFrame(shifted, 4, 64)).toEqual(renderFrame(shifted, 0, 64));
      const [half, whole] = [renderFrame(shifted, 2, 64), renderFrame(shifted, 0, 64)];
      for (const y of range(64)) {
        const row = (from: Uint8Array, x: number) =>
          from.subarray((y * 64 + x) * 3, (y * 64 + x + 16) * 3);
        const gaps = row(half, 24).map((value, i) => {
          const wrapped = whole[(y * 64 + ((24 + 32 + Math.floor(i / 3)) % 64)) * 3 + (i % 3)]!;
          return Math.abs(value - wrapped);
        });
        expect(Math.max(...gaps)).toBeLessThan(8);
      }
    }
  });
});

describe("edits", () => {
  test("depend on split, index and task alone, and hold no edited scene", () => {
    for (const task of TASKS) {
      const request = sampleEdit("train", 5, task);
      sampleEdit("test", 5, task);
      expect(sampleEdit("train", 5, task)).toEqual(request);
      expect(Object.keys(request).toSorted()).toEqual([
        "edit",
        "inputCaption",
        "instruction",
        "outputCaption",
        "scene",
        "split",
        "task",
      ]);
    }
  });

  test.each(TASKS)("of the task %s change at least 1% of the pixels of some frame", (task) => {
    for (const i of range(24)) {
      const { scene, edit, instruction } = sampleEdit(i % 2 === 0 ? "train" : "test", i, task);
      const after = editedScene(scene, edit);
      const shares = [0, 15].map((frame) =>
        changedShare(renderFrame(scene, frame, 128), renderFrame(after, frame, 128)),
      );
      expect(Math.max(...shares), instruction).toBeGreaterThanOrEqual(0.01);
    }
  });

  test("keep place, size, motion and camera of what they do not add or remove", () => {
    for (const task of TASKS) {
      for (const i of range(30)) {
        const { scene, edit } = sampleEdit("train", i, task);
        const after = editedScene(scene, edit);
        expect([after.camera, after.drift]).toEqual([scene.camera, scene.drift]);
        for (const { id, x, y, scale, motion } of after.objects) {
          const before = scene.objects.find((object) => object.id === id);
          if (before)
            expect({ id, x, y, scale, motion }).toMatchObject({
              x: before.x,
              y: before.y,
              scale: before.scale,
              motion: before.motion,
            });
          else expect(motion.type).toBe("still");
        }
      }
    }
  });

  test("change what they say, and nothing else of it", () => {
    const scene = sampleScene("train", 1);
    const [{ id }] = scene.objects as [names.SceneObject];
    const worn = { ...scene.objects[0]!, accessories: ["scarf"] } as const;
    const dressed = { ...scene, objects: [worn, ...scene.objects.slice(1)] };
    const changed = (edit: Edit): Partial<names.SceneObject> => {
      const after = editedScene(dressed, edit);
      expect({ ...after, objects: after.objects.slice(1) }).toEqual({
        ...dressed,
        objects: dressed.objects.slice(1),
      });
      const before = new Map<string, unknown>(Object.entries(worn));
      return Object.fromEntries(
        Object.entries(after.objects[0]!).filter(([name, value]) => value !== before.get(name)),
      );
    };
    const kind = names.KINDS.find((name) => name !== worn.kind)!;
    const colour = names.COLOURS.find((name) => name !== worn.colour)!;
    const texture = names.TEXTURES.find((name) => name !== worn.texture)!;
    expect(changed({ type: "replace", object: id, kind })).toEqual({ kind });
    expect(changed({ type: "replace", object: id, kind, colour })).toEqual({ kind, colour });
    expect(changed({ type: "repaint", object: id, colour })).toEqual({ colour });
    expect(changed({ type: "repaint", object: id, texture })).toEqual({ texture });
    expect(changed({ type: "add-accessory", object: id, accessory: "hat" })).toEqual({
      accessories: ["scarf", "hat"],
    });
    expect(changed({ type: "remove-accessory", object: id, accessory: "scarf" })).toEqual({
      accessories: [],
    });
    expect(changed({ type: "remove-accessory", object: id, accessory: "hat" })).toEqual({
      accessories: ["scarf"],
    });
    const removed = editedScene(dressed, { type: "remove-object", object: id });
    expect(removed).toEqual({ ...dressed, objects: dressed.objects.slice(1) });
  });

  test("of two parts do both", () => {
    const scene = { ...sampleScene("train", 1), background: "sea" } as const;
    const first = { type: "background", background: "desert" } as const;
    const second = { type: "style", style: "sepia" } as const;
    for (const edit of [
      { type: "both", first, second } as const,
      { type: "both", first: second, second: first } as const,
    ])
      expect(editedScene(scene, edit)).toEqual({ ...scene, background: "desert", style: "sepia" });
  });

  test.each(PLACES)("add a thing where they say: %s", (place) => {
    const scene = { ...sampleScene("train", 1), objects: [], style: "plain" } as const;
    const look = {
      ...sampleScene("train", 1).objects[0]!,
      motion: { type: "still", period: 1, phase: 0, amount: 0, direction: 0 },
    } as const;
    const added = editedScene(scene, { type: "add-object", look, place });
    const [before, after] = [scene, added].map((one) => renderFrame(one, 0, 64));
    const changed = range(64 * 64).filter((i) =>
      [0, 1, 2].some((c) => before![3 * i + c] !== after![3 * i + c]),
    );
    const third = (sum: number): number => Math.floor((3 * sum) / changed.length / 64);
    const column = third(changed.reduce((sum, i) => sum + (i % 64), 0));
    const row = third(changed.reduce((sum, i) => sum + Math.floor(i / 64), 0));
    const found = [["top", "", "bottom"][row]!, ["left", "", "right"][column]!];
    expect(found.filter((word) => word !== "").join("-")).toBe(place);
  });

  test("leave a scene as it was when they are undone", () => {
    const scene = sampleScene("train", 1);
    const [{ id, kind, colour }] = scene.objects as [names.SceneObject];
    const other = names.KINDS.find((name) => name !== kind)!;
    const turned = editedScene(scene, { type: "replace", object: id, kind: other, colour: "pink" });
    expect(turned.objects[0]).toMatchObject({ kind: other, colour: "pink" });
    expect(editedScene(turned, { type: "replace", object: id, kind, colour })).toEqual(scene);
  });
});

describe("the truth", () => {
  test("is refused to training on the test split", () => {
    const hidden = sampleEdit("test", 0, "texture");
    expect(() => renderTriplet(hidden, "test" as "train", 0, 32)).toThrow(ConfigError);
    expect(() => renderTriplet(hidden, "train", 0, 32)).toThrow(
      "sample the request from the split",
    );
  });

  test("is the edited scene's frame", () => {
    const request = sampleEdit("train", 2, "object");
    const { before, after } = renderTriplet(request, "train", 4, 48);
    expect(before).toEqual(renderFrame(request.scene, 4, 48));
    expect(after).toEqual(renderFrame(editedScene(request.scene, request.edit), 4, 48));
  });

  test("is imported by triplets and by the evaluation alone", () => {
    const root = join(import.meta.dirname, "../..");
    const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) =>
      /\.[cm]?[tj]s$/.test(file),
    );
    const importers = files
      .filter((file) =>
        /["'`][^"'`]*edited-scene(\.ts)?["'`]/.test(readFileSync(join(root, file), "utf8")),
      )
      .map((file) => relative("", file).replaceAll("\\", "/"));
    const allowed =
      /^(evaluation\/|data\/world\/(triplet|world\.test)\.ts$|data\/caches\/unedited-clips\.test\.ts$)/;
    expect(importers).toContain("data/world/triplet.ts");
    expect(importers.filter((file) => !allowed.test(file))).toEqual([]);
  });
});
