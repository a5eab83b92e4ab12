import { expect, test } from "vitest";
import { bootstrapInterval } from "../statistics/bootstrap.ts";
import { intervalsOf, meansOf, type ScoredEdit } from "./tgve-means.ts";

/** Every edit of so many videos, all of a video with the same scores. */
function scored(videos: number): ScoredEdit[] {
  return Array.from({ length: videos }, (_, video) => video).flatMap((video) =>
    ["style", "object", "background", "multiple"].map((edit) => ({
      set: "DAVIS_480p",
      video: `video ${video}`,
      edit,
      kind: edit,
      scores: {
        pickScore: 20 + video,
        clipFrame: null,
        clipText: edit === "style" ? null : 25 - video,
        viclipDir: null,
        viclipOut: null,
      },
    })),
  );
}

test("the intervals are those of videos, however many edits each has", () => {
  const edits = scored(16);
  const videos = Array.from({ length: 16 }, (_, video) => 20 + video);
  expect(meansOf(edits)).toMatchObject({ pickScore: 27.5, clipText: 17.5, clipFrame: null });
  const { pickScore, clipText, clipFrame } = intervalsOf(edits);
  const [low, high] = bootstrapInterval(videos)!;
  expect(pickScore![0]).toBeCloseTo(low, 9);
  expect(pickScore![1]).toBeCloseTo(high, 9);
  expect(clipText![1] - clipText![0]).toBeCloseTo(high - low, 9);
  expect(clipFrame).toBeNull();
});

test("there are none of nine videos", () => {
  expect(intervalsOf(scored(9)).pickScore).toBeNull();
});
