import { expect, test } from "vitest";
import { STILL, stillObject, stillScene } from "../../../test/support/still-scene.ts";
import type { SceneObject } from "./scene.ts";
import { visibleShare } from "./visibility.ts";

const ball = (id: number, own: Partial<SceneObject> = {}): SceneObject =>
  stillObject({ id, kind: "ball", ...own });

test("a thing alone in the middle is seen whole, one across the frame's edge by half", () => {
  expect(visibleShare(stillScene([ball(7)]), 7)).toBe(1);
  expect(visibleShare(stillScene([ball(7, { x: 1 })]), 7)).toBeCloseTo(0.5, 0);
  expect(visibleShare(stillScene([ball(7, { x: 1.5 })]), 7)).toBe(0);
});

test("a thing behind another is hidden, and the nearer one is not", () => {
  const scene = stillScene([ball(3), ball(8), ball(5, { x: 0.9 })]);
  expect([3, 8, 5].map((id) => visibleShare(scene, id) > 0)).toEqual([false, true, true]);
  expect(visibleShare(scene, 8)).toBe(1);
});

test("a thing counts as it is seen where it is seen least", () => {
  const motion = { ...STILL, type: "linear", period: 20, amount: 0.8 } as const;
  // beyond the left edge, in the middle and beyond the right edge, in turn
  expect(visibleShare(stillScene([ball(1, { motion })]), 1)).toBe(0);
});
