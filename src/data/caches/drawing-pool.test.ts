import { describe, expect, test } from "vitest";
import { DrawingPool } from "./drawing-pool.ts";
import type { DrawnItem } from "./drawn-item.ts";
import { draw } from "./scene-items.ts";

const kind = { split: "train", frames: 2 } as const;
const module = new URL("scene-items.ts", import.meta.url);

const content = ({ frames, text }: DrawnItem): unknown => [text, frames.map((frame) => [...frame])];

describe("a drawing pool", () => {
  test("gives from its threads what this thread would draw, in order", async () => {
    using pool = new DrawingPool(draw, module);
    const items = await pool.draw(kind, 40, 150, 32);
    expect(items.length).toBe(150);
    for (const place of [0, 31, 32, 149])
      expect(content(items[place]!)).toEqual(content(draw(kind, 40 + place, 32)));
  });

  test("passes on what goes wrong in a thread, and goes on", async () => {
    const file = new URL("unedited-items.ts", import.meta.url);
    using pool = new DrawingPool<{ split: string; frames: number }>(() => draw(kind, 0, 16), file);
    const refused = pool.draw({ split: "test", frames: 1 }, 0, 150, 16);
    await expect(refused).rejects.toThrow(/expected the train or the validation split/);
    const accepted = await pool.draw({ split: "train", frames: 1 }, 0, 150, 16);
    expect(accepted).toHaveLength(150);
  });
});
