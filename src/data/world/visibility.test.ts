import { expect, test } from "vitest";
import type { Scene, SceneObject } from "./scene.ts";
import { visibleShare } from "./visibility.ts";

const STILL = { type: "still", period: 20, phase: 0, amount: 0, direction: 0 } as const;

function ball(id: number, own: Partial<SceneObject> = {}): SceneObject {
  return {
    id,
    kind: "ball",
    colour: "red",
    texture: "plain",
    size: "medium",
    accessories: [],
    motion: STILL,
    x: 0.5,
    y: 0.5,
    scale: 0.3,
    ...own,
  };
}

function sceneOf(...objects: readonly SceneObject[]): Scene {
  const camera = { type: "still", period: 1, x: 0, y: 0, zoom: 0 } as const;
  return { objects, background: "studio", style: "plain", drift: 0, camera };
}

test("a thing alone in the middle is seen whole, one across the frame's edge by half", () => {
  expect(visibleShare(sceneOf(ball(7)), 7)).toBe(1);
  expect(visibleShare(sceneOf(ball(7, { x: 1 })), 7)).toBeCloseTo(0.5, 0);
  expect(visibleShare(sceneOf(ball(7, { x: 1.5 })), 7)).toBe(0);
});

test("a thing behind another is hidden, and the nearer one is not", () => {
  const scene = sceneOf(ball(3), ball(8), ball(5, { x: 0.9 }));
  expect([3, 8, 5].map((id) => visibleShare(scene, id) > 0)).toEqual([false, true, true]);
  expect(visibleShare(scene, 8)).toBe(1);
});

test("a thing counts as it is seen where it is seen least", () => {
  const motion = { ...STILL, type: "linear", amount: 0.8 } as const;
  // beyond the left edge, in the middle and beyond the right edge, in turn
  expect(visibleShare(sceneOf(ball(1, { motion })), 1)).toBe(0);
});
