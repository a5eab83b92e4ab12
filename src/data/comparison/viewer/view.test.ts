import { expect, test } from "vitest";

/** What of the viewer is looked at here: its own files are for browsers, without types. */
interface Viewing {
  readonly View: new (
    size: { width: number; height: number },
    pixelAspect: number,
  ) => {
    zoom: number;
    zoomAt(factor: number, left: number, top: number, pane: Rect): void;
    move(right: number, down: number, pane: Rect): void;
    rectIn(pane: Rect): Rect;
  };
}
interface Rect {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

const { View }: Viewing = await import(new URL("view.js", import.meta.url).href);
const pane: Rect = { left: 0, top: 0, width: 400, height: 300 };

test("a picture fits its pane, with pixels as wide as they are shown", () => {
  expect(new View({ width: 100, height: 100 }, 1).rectIn(pane)).toEqual({
    left: 50,
    top: 0,
    width: 300,
    height: 300,
  });
  const wide = new View({ width: 100, height: 100 }, 2).rectIn(pane);
  expect(wide).toEqual({ left: 0, top: 50, width: 400, height: 200 });
});

test("the place under the pointer stays where it is when it is enlarged", () => {
  const view = new View({ width: 400, height: 300 }, 1);
  view.zoomAt(4, 100, 60, pane);
  const { left, top, width, height } = view.rectIn(pane);
  expect([width, height]).toEqual([1600, 1200]);
  expect(left + 0.25 * width).toBeCloseTo(100, 9);
  expect(top + 0.2 * height).toBeCloseTo(60, 9);
});

test("an enlarged picture covers its pane, however far it is moved", () => {
  const view = new View({ width: 400, height: 300 }, 1);
  view.zoomAt(2, 0, 0, pane);
  for (const [right, down] of [
    [5000, 5000],
    [-5000, -5000],
  ] as const) {
    view.move(right, down, pane);
    const { left, top, width, height } = view.rectIn(pane);
    expect(left).toBeLessThanOrEqual(1e-9);
    expect(top).toBeLessThanOrEqual(1e-9);
    expect(left + width).toBeGreaterThanOrEqual(400 - 1e-9);
    expect(top + height).toBeGreaterThanOrEqual(300 - 1e-9);
  }
  view.zoomAt(0.01, 0, 0, pane);
  expect(view.zoom).toBe(1);
});
