import { describe, expect, test } from "vitest";
import { STILL, stillObject } from "../../../test/support/still-scene.ts";
import { type Pose, poseAt, viewAt } from "./motion.ts";
import { type Camera, type Motion, MOTION_TYPES, type SceneObject } from "./scene.ts";

const PERIOD = STILL.period;

const moving = (own: Partial<Motion>, scale = 0.3): SceneObject =>
  stillObject({ kind: "ball", motion: { ...STILL, ...own }, x: 0.4, y: 0.6, scale });

/** What is to be seen of a pose: two angles a turn apart are one. */
function seen({ x, y, scale, angle }: Pose): number[] {
  return [x, y, scale, Math.cos(angle), Math.sin(angle)];
}

const distance = (a: Pose, b: Pose): number =>
  Math.hypot(...seen(a).map((value, i) => value - seen(b)[i]!));

const others = MOTION_TYPES.filter((type) => type !== "still");

describe("a motion", () => {
  test.each(others)("%s is back after its period, and elsewhere on the way", (type) => {
    const object = moving({ type });
    for (const frame of [0, 1, 5, 11]) {
      expect(distance(poseAt(object, frame + PERIOD), poseAt(object, frame))).toBeLessThan(1e-9);
      expect(distance(poseAt(object, frame + PERIOD / 3), poseAt(object, frame))).toBeGreaterThan(
        0.01,
      );
    }
  });

  test.each(others)("%s begins as far on as its phase says", (type) => {
    const [early, late] = [moving({ type }), moving({ type, phase: 0.25 })];
    for (const frame of [0, 3])
      expect(distance(poseAt(late, frame), poseAt(early, frame + PERIOD / 4))).toBeLessThan(1e-9);
  });

  test("still stays where the scene has it", () => {
    expect(poseAt(moving({}), 7)).toEqual({ x: 0.4, y: 0.6, scale: 0.3, angle: 0 });
  });

  test("growing is by a share of the thing's size", () => {
    const shareAt = (scale: number): number =>
      poseAt(moving({ type: "growing" }, scale), 6).scale / scale;
    expect(shareAt(0.4)).toBeCloseTo(shareAt(0.2), 9);
    expect(shareAt(0.4)).toBeGreaterThan(1.05);
  });

  test("linear goes along its direction, downwards for a quarter turn", () => {
    const down = moving({ type: "linear", direction: Math.PI / 2 });
    const [top, bottom] = [poseAt(down, 0), poseAt(down, PERIOD / 2)];
    expect(bottom.x).toBeCloseTo(top.x, 9);
    expect(bottom.y).toBeCloseTo(top.y + 0.2, 9);
  });
});

describe("a camera", () => {
  test.each<Camera>([
    { type: "pan", period: PERIOD, x: 0.06, y: -0.03, zoom: 0 },
    { type: "zoom", period: PERIOD, x: 0, y: 0, zoom: 0.2 },
  ])("that does a $type sees the whole world at first and after its period", (camera) => {
    const whole = { x: 0.5, y: 0.5, scale: 1 };
    const differences = (frame: number): number => {
      const { x, y, scale } = viewAt(camera, frame);
      return Math.hypot(x - whole.x, y - whole.y, scale - whole.scale);
    };
    expect(viewAt(camera, 0)).toEqual(whole);
    expect(differences(PERIOD)).toBeLessThan(1e-9);
    expect(differences(PERIOD / 4)).toBeGreaterThan(0.05);
  });
});
