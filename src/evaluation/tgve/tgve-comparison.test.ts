import { expect, test } from "vitest";
import { bootstrapInterval } from "../statistics/bootstrap.ts";
import type { EditLine } from "./kept-scores.ts";
import { compareTgve } from "./tgve-comparison.ts";
import { NO_SCORES } from "./tgve-means.ts";

/** Two edits of so many videos; what the second kind scores does not vary. */
function submission(videos: number, score: (video: number) => number): EditLine[] {
  return Array.from({ length: videos }, (_, video) => video).flatMap((video) =>
    ["style", "object"].map((kind) => ({
      set: "DAVIS_480p",
      video: String.fromCodePoint(97 + video),
      edit: kind,
      kind,
      input: "a cat",
      caption: "a dog",
      scores: { ...NO_SCORES, pickScore: kind === "style" ? score(video) : 20, clipText: 25 },
    })),
  );
}

test("submissions are compared edit by edit, with the intervals of videos", () => {
  const own = submission(12, (video) => 20 + 3 * video);
  // in another order, one video more, and a metric less
  const other = submission(13, (video) => 20 + 2 * video)
    .toReversed()
    .map((line) => ({ ...line, scores: { ...line.scores, clipText: null } }));
  const compared = compareTgve(own, other);
  expect(compared).toMatchObject({
    scored: 24,
    single: 2,
    byEdit: { style: { pickScore: 5.5 }, object: { pickScore: 0 } },
    means: { pickScore: 2.75, clipText: null },
  });
  expect(compareTgve(own.toReversed(), other).intervals).toEqual(compared.intervals);
  const halves = Array.from({ length: 12 }, (_, video) => video / 2);
  const [low, high] = bootstrapInterval(halves)!;
  expect(compared.intervals.pickScore![0]).toBeCloseTo(low, 9);
  expect(compared.intervals.pickScore![1]).toBeCloseTo(high, 9);
});

test("an edit with another caption is another edit, and of one scored twice the last counts", () => {
  const own = submission(1, () => 21);
  const others = own.map((line) => ({ ...line, caption: "a fox" }));
  expect(compareTgve(own, others)).toMatchObject({ scored: 0, single: 4 });
  const twice = [...submission(1, () => 30), ...own];
  expect(compareTgve(twice, own)).toMatchObject({ scored: 2, single: 0, means: { pickScore: 0 } });
});
