import { expect, test } from "vitest";
import { Tensor } from "../../engine/tensor.ts";
import { editPlaces, EditStrengths } from "./edit-strength.ts";

const added = {
  down: [Tensor.scalar(4), Tensor.scalar(-2)],
  mid: Tensor.scalar(8),
  output: (output: Tensor) => output.mul(3),
};
const state = Tensor.scalar(0);

test("speaks at the states and, where it reaches it, at the output", () => {
  expect(editPlaces(true)).toEqual(["states", "output"]);
  expect(editPlaces(false)).toEqual(["states"]);
});

test("each place adds its own share", () => {
  const heard = new EditStrengths({ states: 0.5, output: 0.25 }).heard(added);
  expect(heard.down.map((share) => share.item())).toEqual([2, -1]);
  expect(heard.mid.item()).toBe(4);
  expect(heard.output!(Tensor.scalar(5), state).item()).toBe(5 + (15 - 5) / 4);
});

test("what an adapter lacks stays away", () => {
  const { down, mid } = added;
  const strengths = EditStrengths.alike({ places: () => editPlaces(false) }, 0.5);
  expect(strengths.values()).toEqual({ states: 0.5 });
  expect(Object.keys(strengths.heard({ down, mid }))).toEqual(["down", "mid"]);
});

test("strengths that know less than what is heard are refused", () => {
  const heard = new EditStrengths({ states: 1 }).heard(added);
  expect(() => heard.output!(Tensor.scalar(5), state)).toThrow(
    "expected a strength at each place of the edit adapter, none for output",
  );
});
