import { describe, expect, test } from "vitest";
import { STILL, STILL_VIEW, stillObject, stillScene } from "../../../test/support/still-scene.ts";
import { poseAt, viewAt } from "./motion.ts";
import { PALETTE, type Rgb } from "./palette.ts";
import { renderFrame } from "./render.ts";
import { BACKGROUNDS, type Camera, type Colour, COLOURS, type SceneObject } from "./scene.ts";

const SIZE = 64;
/** The colour of a frame at a place, in frame widths. */
function colourAt(rgb: Uint8Array, x: number, y: number): Rgb {
  const at = (Math.floor(y * SIZE) * SIZE + Math.floor(x * SIZE)) * 3;
  return [rgb[at]!, rgb[at + 1]!, rgb[at + 2]!];
}

/** The colour of the palette that is nearest to one of a frame: light and shadow change it little. */
function named(colour: Rgb): Colour {
  const distance = (name: Colour): number =>
    Math.hypot(...PALETTE[name].map((value, i) => value - colour[i]!));
  return COLOURS.toSorted((a, b) => distance(a) - distance(b))[0]!;
}

/** The middle of what two frames differ in, in frame widths. */
function middleOfChange(a: Uint8Array, b: Uint8Array): { x: number; y: number } {
  const changed: { x: number; y: number }[] = [];
  for (let i = 0; i < SIZE * SIZE; i++) {
    const differs = [0, 1, 2].some((c) => Math.abs(a[3 * i + c]! - b[3 * i + c]!) > 25);
    if (differs) changed.push({ x: (i % SIZE) + 0.5, y: Math.floor(i / SIZE) + 0.5 });
  }
  const ends = (values: readonly number[]): number =>
    (Math.min(...values) + Math.max(...values)) / 2 / SIZE;
  return { x: ends(changed.map(({ x }) => x)), y: ends(changed.map(({ y }) => y)) };
}

describe("a frame", () => {
  test.each(COLOURS)("shows a %s thing in that colour, red before green before blue", (colour) => {
    const frame = renderFrame(stillScene([stillObject({ colour })]), 0, SIZE);
    expect(named(colourAt(frame, 0.5, 0.55))).toBe(colour);
  });

  test("shows of two things in one place the later one", () => {
    const [red, blue] = [stillObject({}), stillObject({ id: 1, colour: "blue" })];
    const middle = (objects: readonly SceneObject[]): Colour =>
      named(colourAt(renderFrame(stillScene(objects), 0, SIZE), 0.5, 0.55));
    expect(middle([red, blue])).toBe("blue");
    expect(middle([blue, red])).toBe("red");
  });

  test.each<[string, Partial<SceneObject>, Camera]>([
    ["at rest", { x: 0.3, y: 0.7 }, STILL_VIEW],
    ["on its way", { motion: { ...STILL, type: "linear", direction: 0.7 } }, STILL_VIEW],
    ["under a pan", { x: 0.4 }, { ...STILL_VIEW, type: "pan", period: 40, x: 0.08, y: -0.05 }],
    ["in a zoom", { x: 0.3, y: 0.6 }, { ...STILL_VIEW, type: "zoom", period: 40, zoom: 0.25 }],
  ])("has a thing where motion and camera put it: %s", (_, own, camera) => {
    const object = stillObject(own);
    for (const frame of [0, 7, 15]) {
      const [empty, full] = [[], [object]].map((objects) =>
        renderFrame(stillScene(objects, { camera }), frame, SIZE),
      );
      const [pose, view] = [poseAt(object, frame), viewAt(camera, frame)];
      const middle = middleOfChange(empty!, full!);
      // a box is drawn to within a pixel of its place
      expect(Math.abs(middle.x - (0.5 + view.scale * (pose.x - view.x)))).toBeLessThan(0.03);
      expect(Math.abs(middle.y - (0.5 + view.scale * (pose.y - view.y)))).toBeLessThan(0.03);
    }
  });

  test.each(BACKGROUNDS.filter((name) => name !== "studio"))(
    "of a drifting %s has it further right, by as much as it drifts",
    (background) => {
      const [before, after] = [0, 1].map((frame) =>
        renderFrame(stillScene([], { background, drift: 1 / 8 }), frame, SIZE),
      );
      const error = (shift: number): number => {
        let sum = 0;
        for (let y = 0; y < SIZE; y++)
          for (let x = 0; x < SIZE * 3; x++)
            sum += Math.abs(
              after![y * SIZE * 3 + ((x + 3 * shift) % (SIZE * 3))]! - before![y * SIZE * 3 + x]!,
            );
        return sum;
      };
      expect(error(SIZE / 8)).toBeLessThan(0.1 * error(SIZE - SIZE / 8));
    },
  );
});
