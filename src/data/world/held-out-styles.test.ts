import { expect, test } from "vitest";
import { frameOf } from "../caches/frame-number.ts";
import { draw, styledRequestAt } from "../caches/styled-items.ts";
import { HELD_OUT_STYLES, restyled, STYLED_TASKS } from "./held-out-styles.ts";
import { renderFrame } from "./render.ts";
import { sampleScene } from "./sample.ts";
import { STYLES } from "./scene.ts";

const SIZE = 64;

test.each(HELD_OUT_STYLES)(
  "%s is no style of the world, and changes every picture alike",
  (style) => {
    expect(STYLES).not.toContain(style);
    for (let index = 0; index < 8; index++) {
      const scene = { ...sampleScene("train", index), style: "plain" as const };
      const plain = renderFrame(scene, 0, SIZE);
      const first = restyled(plain.slice(), SIZE, style);
      expect(first).toEqual(restyled(plain.slice(), SIZE, style));
      const moved = first.reduce((sum, value, i) => sum + Math.abs(value - plain[i]!), 0);
      expect(moved / first.length).toBeGreaterThan(10);
    }
  },
);

test("line art has black contours on pale fills, whose colours can be told", () => {
  const levels = Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, i) => [220, 40, 40][i % 3]!);
  const flat = restyled(levels, SIZE, "line-art");
  expect([flat[0], flat[1]]).toEqual([240, 164]);
  const scene = { ...sampleScene("train", 3), style: "plain" as const };
  const drawn = restyled(renderFrame(scene, 0, SIZE), SIZE, "line-art");
  expect(Math.min(...drawn)).toBeLessThan(40);
});

test("requests in a style leave it on: plain scenes, and no task that is about styles", () => {
  const requests = Array.from({ length: 20 }, (_, index) => styledRequestAt("test", index));
  expect(new Set(requests.map(({ task }) => task))).toEqual(new Set(STYLED_TASKS));
  expect(requests.every(({ scene }) => scene.style === "plain")).toBe(true);
  expect(styledRequestAt("test", 7)).toEqual(requests[7]);
});

test("what a style is learned from has that style alone, whatever style its scene had", () => {
  const styled = Array.from({ length: 60 }, (_, index) => index).filter(
    (index) => sampleScene("train", index).style !== "plain",
  );
  expect(styled.length).toBeGreaterThan(5);
  for (const index of styled) {
    const scene = { ...sampleScene("train", index), style: "plain" as const };
    const { frames } = draw({ split: "train", style: "line-art" }, index, SIZE);
    const wanted = restyled(renderFrame(scene, frameOf(index), SIZE), SIZE, "line-art");
    expect(frames).toEqual([wanted]);
  }
});
