import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  firstFault,
  layerCount,
  levelChannels,
  networkSize,
  parseConfig,
  patchSide,
  refuseFor,
  refuseOtherSettings,
} from "./config.ts";
import { ConfigError } from "./errors.ts";

const Config = z.strictObject({ width: z.int().positive(), depth: z.int().default(2) });

test("a config comes with its defaults, or one error that lists all that is wrong with it", () => {
  expect(parseConfig(Config, { width: 3 }, "a network")).toEqual({ width: 3, depth: 2 });
  const wrong = () => parseConfig(Config, { width: -1, dept: 4 }, "a network");
  expect(wrong).toThrow(ConfigError);
  expect(wrong).toThrow(/^a network: .*dept[\s\S]*at width/);
});

test("the first fault is told by its name, where it has one", () => {
  const faultOf = (given: unknown): string => firstFault(Config.safeParse(given).error!);
  expect(faultOf({ width: -1 })).toMatch(/^width: Too small/);
  expect(faultOf(null)).toMatch(/^Invalid input: expected object/);
});

test("as many layers as no memory holds are no number of layers", () => {
  expect(layerCount.safeParse(1000).success).toBe(true);
  expect(layerCount.safeParse(1_000_000_000).success).toBe(false);
});

test("sizes that no tensor could hold the product of are no sizes", () => {
  expect(networkSize.safeParse(65_536).success).toBe(true);
  expect(patchSide.safeParse(256).success).toBe(true);
  expect(levelChannels.safeParse([320, 640]).success).toBe(true);
  for (const size of [0, -1, 1.5, 65_537, 2 ** 53 - 1])
    expect(networkSize.safeParse(size).success).toBe(false);
  expect(patchSide.safeParse(257).success).toBe(false);
  for (const levels of [[], Array(17).fill(1)])
    expect(levelChannels.safeParse(levels).success).toBe(false);
});

test("a config whose parts do not go together is refused with a sentence of its own", () => {
  const Even = Config.superRefine(
    refuseFor(({ width }) =>
      width % 2 === 0 ? undefined : `expected an even width, got ${width}`,
    ),
  );
  expect(parseConfig(Even, { width: 4 }, "a network").width).toBe(4);
  expect(() => parseConfig(Even, { width: 3 }, "a network")).toThrow(
    "a network: ✖ expected an even width, got 3",
  );
  expect(firstFault(Even.safeParse({ width: 3 }).error!)).toBe("expected an even width, got 3");
});

describe("settings that only one value is built of", () => {
  const fixed = { act: "silu", blocks: ["A", "B"], dual: false, shift: null };

  test("may be left out, have that value, or be off in another way", () => {
    refuseOtherSettings({}, fixed);
    refuseOtherSettings({ act: "silu", blocks: ["A", "B"], dual: null, shift: 0 }, fixed);
  });

  test.each([
    [{ act: "relu" }, "expected act silu in a.json, got relu"],
    [{ blocks: ["A"] }, 'expected blocks ["A","B"] in a.json, got ["A"]'],
    [{ dual: true }, "expected dual false in a.json, got true"],
    [{ shift: 0.5 }, "expected shift null in a.json, got 0.5"],
  ])("%j is refused", (given, sentence) => {
    expect(() => refuseOtherSettings(given, fixed, "a.json")).toThrow(new ConfigError(sentence));
  });
});
