import { describe, expect, test } from "vitest";
import { readSettings, resolveSettings } from "./settings.ts";

const whole = { name: "m", window: 8, hasVideoAdapter: true, hasAlignment: true };
const resolved = (own: Record<string, unknown> = {}, model: Partial<typeof whole> = {}) =>
  resolveSettings(readSettings({ instruction: "make it snow", ...own }), { ...whole, ...model });

describe("the method of an edit", () => {
  test("is the best that the model has, where none is asked for", () => {
    expect(resolved().method).toBe("aligned");
    expect(resolved({}, { hasAlignment: false }).method).toBe("stacked");
    const bare = { hasAlignment: false, hasVideoAdapter: false };
    expect(resolved({}, bare).method).toBe("frame-by-frame");
  });

  test("is the one that is asked for, if the model has its parts", () => {
    for (const method of ["aligned", "stacked", "frame-by-frame"] as const)
      expect(resolved({ method }).method).toBe(method);
    expect(resolved({ method: "aligned" }, { hasAlignment: false }).method).toBe("stacked");
    const bare = { hasAlignment: false, hasVideoAdapter: false };
    expect(() => resolved({ method: "stacked" }, bare)).toThrow(
      "method: m has no video adapter, so its frames can only be edited frame-by-frame",
    );
  });

  test("that edits frames together bounds the window by what the model sees; frame by frame none is too long", () => {
    expect(() => resolved({ window: 9 })).toThrow("window: m sees at most 8 frames at once, got 9");
    expect(resolved({ window: 8 }).window).toBe(8);
    expect(resolved({ window: 64, method: "frame-by-frame" }).window).toBe(64);
    expect(resolved().window).toBe(8);
  });

  test("that edits frames together makes windows overlap, by less than all of their frames", () => {
    for (const overlap of [0, 8, 9])
      expect(() => resolved({ overlap })).toThrow(
        `overlap: expected at least 1 and less than the window of 8 frames, got ${overlap}`,
      );
    expect(resolved({ overlap: 7 }).overlap).toBe(7);
    expect(resolved({ method: "frame-by-frame", overlap: 9 }).overlap).toBe(0);
  });

  test("that edits frames together takes flicker out, unless it is told otherwise", () => {
    expect(resolved().deflicker).toBe("on");
    expect(resolved({ method: "frame-by-frame" }).deflicker).toBe("off");
    expect(resolved({ deflicker: "off" }).deflicker).toBe("off");
    expect(resolved({ method: "frame-by-frame", deflicker: "on" }).deflicker).toBe("on");
  });
});
