import { describe, expect, test } from "vitest";
import { byteTensor } from "../../data/byte-pictures.ts";
import { fitFrame } from "../../data/video/fit.ts";
import { Tensor } from "../../engine/tensor.ts";
import type { RestoreDetail } from "../../models/detail/detail-gates.ts";
import { keepDetail, withFinerDetail } from "./detail.ts";
import type { DrawnSquare, SourceFrame } from "./square.ts";

const size = 32;
const width = 96;
const height = 64;

/** A fine checkerboard over a slope: more than 32 × 32 pixels can carry. */
const source = Uint8Array.from({ length: width * height * 3 }, (_, at) => {
  const pixel = Math.floor(at / 3);
  const [x, y] = [pixel % width, Math.floor(pixel / width)];
  return 60 + x + ((x + y) % 2) * 40;
});
const frame: SourceFrame = { rgb: source, width, height };
/** The frame in the model's square, which its autoencoder carries whole. */
const fitted = fitFrame(source, { width, height }, size);

/** An edit at the frame's own size, both kinds of detail given back; without more the autoencoder lost nothing. */
function finished(edited: Uint8Array, restore?: RestoreDetail): Uint8Array {
  const drawn: DrawnSquare = { edited: byteTensor(edited), reconstruction: byteTensor(fitted) };
  return withFinerDetail(frame, keepDetail(fitted, drawn, { size, restore }), size);
}

/** The square with its left half replaced by one gray. */
function withGrayHalf(gray: number): Uint8Array {
  return fitted.map((value, at) => (Math.floor(at / 3) % size < size / 2 ? gray : value));
}

function level(picture: Uint8Array, x: number, y: number): number {
  return picture[(y * width + x) * 3]!;
}

describe("keepDetail", () => {
  test("gives the source itself where the edit changed nothing", () => {
    expect(finished(fitted)).toEqual(source);
  });

  test("shows the edit where it changed much, and the source's detail elsewhere", () => {
    const result = finished(withGrayHalf(255));
    expect(level(result, 10, 30)).toBe(255);
    expect(level(result, 11, 30)).toBe(255);
    expect(level(result, 80, 30)).toBe(level(source, 80, 30));
    expect(level(result, 81, 30)).toBe(level(source, 81, 30));
  });

  test("applies a slight change of the whole picture without losing detail", () => {
    const edited = fitted.map((value) => value + 6);
    const result = finished(edited);
    const gain = result.reduce((sum, value, at) => sum + value - source[at]!, 0) / result.length;
    expect(gain).toBeGreaterThan(5.5);
    expect(gain).toBeLessThan(6.5);
    expect(level(result, 41, 30) - level(result, 40, 30)).toBe(
      level(source, 41, 30) - level(source, 40, 30),
    );
  });
});

describe("with what the model has learned of detail, keepDetail", () => {
  /** The left half as it was drawn, the right half as it came in. */
  const restore: RestoreDetail = ({ source: whole, edited }) =>
    Tensor.cat([edited.narrow(3, 0, size / 2), whole.narrow(3, size / 2, size / 2)], 3);

  test("gives the source itself where the edit changed nothing", () => {
    const refuse: RestoreDetail = () => expect.fail("expected no question of the model");
    expect(finished(fitted, refuse)).toEqual(source);
  });

  test("shows what the model makes of the three pictures, at the model's own size as it is", () => {
    const edited = fitted.map((value) => 255 - value);
    const drawn = { edited: byteTensor(edited), reconstruction: byteTensor(withGrayHalf(9)) };
    const own = { rgb: fitted, width: size, height: size };
    const kept = withFinerDetail(own, keepDetail(fitted, drawn, { size, restore }), size);
    const isLeft = (at: number): boolean => Math.floor(at / 3) % size < size / 2;
    expect(kept).toEqual(fitted.map((value, at) => (isLeft(at) ? edited[at]! : value)));
  });

  test("gives finer detail back where the source came back, however far the edit had gone", () => {
    const result = finished(
      fitted.map((value) => 255 - value),
      restore,
    );
    const right = [70, 81, 92].map((x) => level(result, x, 30));
    expect(right).toEqual([70, 81, 92].map((x) => level(source, x, 30)));
    const step = Math.abs(level(result, 11, 30) - level(result, 10, 30));
    expect(step).toBeLessThan(10);
  });
});

describe("where an edit changes things by 50 of 255, keepDetail", () => {
  test("gives back most of what the autoencoder has lost", () => {
    const lost = fitted.map(() => 100);
    const edited = byteTensor(lost.map((value) => value + 50));
    const result = keepDetail(
      fitted,
      { edited, reconstruction: byteTensor(lost) },
      { size },
    ).edited;
    // 50 is 0.3 of the way from 20 to 120: a change of 0.216, by the cubic step
    const errors = result.map((value, at) => Math.abs(value - (150 + 0.784 * (fitted[at]! - 100))));
    expect(Math.max(...errors)).toBeLessThanOrEqual(1);
  });

  test.each([
    ["white", [180, 230, 240], 255],
    ["black", [70, 20, 10], 0],
  ])("stays %s where detail would go beyond", (_, [lost, edited, whole], wanted) => {
    const flat = (gray: number): Uint8Array => new Uint8Array(size * size * 3).fill(gray);
    const drawn = { edited: byteTensor(flat(edited!)), reconstruction: byteTensor(flat(lost!)) };
    expect(keepDetail(flat(whole!), drawn, { size }).edited).toEqual(flat(wanted));
  });

  test("gives nothing back that is finer than the model's pixels", () => {
    const result = finished(fitted.map((value) => value + 50));
    const step = (picture: Uint8Array, x: number): number =>
      Math.abs(level(picture, x + 1, 30) - level(picture, x, 30));
    for (const x of [40, 41, 42, 43]) {
      expect(step(source, x)).toBeGreaterThan(30);
      expect(step(result, x)).toBeLessThan(8);
    }
  });
});
