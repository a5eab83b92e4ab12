import { describe, expect, test } from "vitest";
import { noGrad } from "../engine/autodiff.ts";
import { Rng, normal } from "../engine/random.ts";
import { autocast, engineInfo, isFastInBfloat16 } from "../engine/settings.ts";
import { Tensor } from "../engine/tensor.ts";
import { largestDifference } from "../../test/support/difference.ts";
import { Conv2d } from "./conv.ts";
import { Lora } from "./lora.ts";
import { Module, adoptParameters } from "./module.ts";
import { modulesOf } from "./module-map.ts";
import { packConvolutions, type Packing, type PackedType } from "./pack-convolutions.ts";
import { canPack, isPacked } from "./packed-kernel.ts";

const CHANNELS = 342; // 342 · 342 · 9 values are just above what is packed
const SIZE = CHANNELS * CHANNELS * 9;
const rng = Rng.seed(5);
const x = normal(rng, [2, CHANNELS, 4, 4]);

class Net extends Module {
  readonly large: Conv2d;
  readonly small = new Conv2d(rng.split("small"), 4, 4);
  readonly flat = new Conv2d(rng.split("flat"), 1030, 1030, { kernel: 1 });

  constructor(stride = 1) {
    super();
    this.large = new Conv2d(rng.split("large"), CHANNELS, CHANNELS, { stride });
  }
}

function pack(network: Module, packing: Packing): number {
  return packConvolutions(modulesOf(network, Conv2d).values(), packing);
}

/** A network and its twin, whose kernels are `stored`, and packed for computing in `packed`. */
function twins(
  packed: PackedType,
  {
    stride = 1,
    stored = "float32",
    spareBytes = 0,
  }: { stride?: number; stored?: "float32" | "float16"; spareBytes?: number } = {},
) {
  const [plain, twin] = [new Net(stride), new Net(stride)];
  for (const network of [plain, twin]) {
    const weights = [...network.parameters()].map(
      ([name, weight]) => [name, weight.shape.length > 1 ? weight.to(stored) : weight] as const,
    );
    adoptParameters(network, new Map(weights), "the weights");
  }
  const taken = pack(twin, { dtype: packed, spareBytes });
  return { plain, twin, taken };
}

/** The types that this processor convolves in by itself. */
const TYPES: readonly PackedType[] = isFastInBfloat16("cpu")
  ? ["float32", "bfloat16"]
  : ["float32"];
const cases = TYPES.flatMap((dtype) => [1, 2].map((stride) => [dtype, stride] as const));

describe.runIf(canPack())("packConvolutions", () => {
  test.each(cases)("in %s, stride %i, leaves what a convolution gives", (dtype, stride) => {
    const { plain, twin } = twins(dtype, { stride });
    const [found, wanted] = noGrad(() =>
      autocast(dtype, () => [twin.large.forward(x), plain.large.forward(x)]),
    );
    expect(found.dtype).toBe(dtype);
    expect(found.shape).toEqual(wanted.shape);
    // 3078 products summed in another order: float32's rounding, or bfloat16's of the result (values below 4)
    expect(largestDifference(found, wanted)).toBeLessThan(dtype === "float32" ? 1e-5 : 2 ** -6);
  });

  test("needs no bias", () => {
    const [plain, twin] = [0, 1].map(
      () => new Conv2d(rng.split("large"), CHANNELS, CHANNELS, { bias: false }),
    );
    pack(twin!, { dtype: "float32" });
    expect(isPacked(twin!.weight)).toBe(true);
    const [found, wanted] = noGrad(() => [twin!.forward(x), plain!.forward(x)]);
    expect(largestDifference(found, wanted)).toBeLessThan(1e-5);
  });

  test("packs large kernels alone, of more than one place", () => {
    const { twin } = twins("float32");
    expect([twin.large, twin.small, twin.flat].map(({ weight }) => isPacked(weight))).toEqual([
      true,
      false,
      false,
    ]);
    expect(twin.large.weight.shape).toEqual([CHANNELS, CHANNELS, 3, 3]);
  });

  test.each([
    ["alone", 2 * SIZE - 1, 0],
    ["to the processor's convolution", 2 * SIZE, 2 * SIZE],
    ["to the processor's convolution", 2 * SIZE + SIZE, 2 * SIZE],
    ["to tiles", (64 / 9 - 2) * SIZE, (64 / 9 - 2) * SIZE],
  ])("leaves stored kernels %s, by the bytes to spare", (_, spareBytes, wanted) => {
    const { plain, twin, taken } = twins("float32", { stored: "float16", spareBytes });
    expect([isPacked(twin.large.weight), taken]).toEqual([wanted > 0, wanted]);
    const [found, convolved] = noGrad(() => [twin.large.forward(x), plain.large.forward(x)]);
    expect(largestDifference(found, convolved)).toBeLessThan(1e-5);
  });

  test("a strided kernel has no tiles, whatever there is to spare", () => {
    const { taken } = twins("float32", { stride: 2, spareBytes: Infinity });
    expect(taken).toBe(0);
  });

  test("kernels come first, first served", () => {
    const layers = [0, 1].map((i) => new Conv2d(rng.split(`${i}`), CHANNELS, CHANNELS));
    const more = (28 / 9) * SIZE;
    expect(packConvolutions(layers, { dtype: "float32", spareBytes: more })).toBe(more);
    expect(layers.map(({ weight }) => weight.device)).toEqual(["meta", "cpu"]);
  });

  test("in tiles, too, a kernel has its values where another type is computed in", () => {
    const { plain, twin } = twins("float32", { spareBytes: Infinity });
    const [found, wanted] = noGrad(() =>
      autocast("bfloat16", () => [twin.large.forward(x), plain.large.forward(x)]),
    );
    expect(found.dtype).toBe("bfloat16");
    // of values below 4; processors without instructions for bfloat16 round every partial sum
    expect(largestDifference(found, wanted)).toBeLessThan(0.25);
  });

  test.runIf(isFastInBfloat16("cpu"))(
    "computes in the type of the enclosing region all the same",
    () => {
      const { plain, twin } = twins("bfloat16");
      const found = noGrad(() => twin.large.forward(x));
      expect(found.dtype).toBe("float32");
      const rounded = plain.large.weight.to("bfloat16").to("float32");
      plain.large.weight.detach().copyFrom(rounded);
      expect(
        largestDifference(
          found,
          noGrad(() => plain.large.forward(x)),
        ),
      ).toBeLessThan(1e-5);
    },
  );

  test("a LoRA stands beside a packed convolution as beside any", () => {
    const { plain, twin } = twins("float32");
    const targets = (path: string): boolean => path === "large";
    const lora = new Lora(rng.split("lora"), plain, { rank: 2, targets });
    const up = lora.get("large")!.up;
    up.detach().copyFrom(normal(rng.split("up"), up.shape));
    const run = (network: Net): Tensor => noGrad(() => lora.on(network)(network.large, x));
    expect(largestDifference(run(twin), run(plain))).toBeLessThan(1e-4);
  });

  test("frees the stored kernels and packs nothing twice", () => {
    const { twin } = twins("float32");
    const kernel = twin.large.weight;
    pack(twin, { dtype: "float32" });
    expect(twin.large.weight).toBe(kernel);
    const fresh = new Net();
    const before = engineInfo().liveTensors;
    pack(fresh, { dtype: "float32" });
    expect(engineInfo().liveTensors).toBe(before);
    const tiled = new Net();
    const made = engineInfo().liveTensors;
    pack(tiled, { dtype: "float32", spareBytes: Infinity }); // a stand-in and its transformed kernel, for one
    expect(engineInfo().liveTensors).toBe(made + 1);
  });
});
