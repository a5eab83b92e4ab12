import { describe, expect, test } from "vitest";
import { displayMatrixOf } from "../../../test/support/display-matrix.ts";
import {
  type Orientation,
  orientationOf,
  turnBack,
  turnedSize,
  turnUpright,
} from "./orientation.ts";

const orientations: readonly Orientation[] = ([0, 90, 180, 270] as const).flatMap((rotation) =>
  [false, true].map((mirrored) => ({ rotation, mirrored })),
);

/** Pixels `1 2 3 / 4 5 6`, each channel alike. */
const coded = Uint8Array.from([1, 2, 3, 4, 5, 6].flatMap((value) => [value, value, value]));

describe("orientation", () => {
  test.each(orientations)(
    "survives a display matrix: $rotation, mirrored $mirrored",
    (orientation) => {
      expect(orientationOf(displayMatrixOf(orientation))).toEqual(orientation);
    },
  );

  test("is upright for a matrix that is no right angle", () => {
    const skewed = displayMatrixOf({ rotation: 0, mirrored: false });
    skewed.writeInt32LE(46_341, 0);
    skewed.writeInt32LE(46_341, 4);
    expect(orientationOf(skewed)).toEqual({ rotation: 0, mirrored: false });
  });

  test.each([
    { rotation: 0, mirrored: true, shown: [3, 2, 1, 6, 5, 4] },
    { rotation: 90, mirrored: false, shown: [4, 1, 5, 2, 6, 3] },
    { rotation: 180, mirrored: false, shown: [6, 5, 4, 3, 2, 1] },
    { rotation: 270, mirrored: false, shown: [3, 6, 2, 5, 1, 4] },
    { rotation: 90, mirrored: true, shown: [6, 3, 5, 2, 4, 1] },
  ] as const)("turns $rotation clockwise, mirrored $mirrored", ({ shown, ...orientation }) => {
    const pixels = turnUpright(coded, 3, 2, orientation);
    expect([...pixels].filter((_, index) => index % 3 === 0)).toEqual(shown);
  });

  test.each(orientations)(
    "is undone by turning back: $rotation, mirrored $mirrored",
    (orientation) => {
      expect(turnBack(turnUpright(coded, 3, 2, orientation), 3, 2, orientation)).toEqual(coded);
    },
  );

  test("swaps the sides of a picture that lies on its side", () => {
    expect(turnedSize(3, 2, { rotation: 270, mirrored: false })).toEqual({ width: 2, height: 3 });
    expect(turnedSize(3, 2, { rotation: 180, mirrored: true })).toEqual({ width: 3, height: 2 });
  });
});
