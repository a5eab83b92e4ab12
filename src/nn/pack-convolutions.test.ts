import { describe, expect, test } from "vitest";
import { noGrad } from "../engine/autodiff.ts";
import { Rng, normal } from "../engine/random.ts";
import { autocast, engineInfo, isFastInBfloat16 } from "../engine/settings.ts";
import { Tensor } from "../engine/tensor.ts";
import { largestDifference } from "../../test/support/difference.ts";
import { Conv2d } from "./conv.ts";
import { Lora } from "./lora.ts";
import { Module, adoptParameters } from "./module.ts";
import { packConvolutions, type PackedType } from "./pack-convolutions.ts";
import { canPack, isPacked } from "./packed-kernel.ts";

const CHANNELS = 342; // 342 · 342 · 9 values are just above what is packed
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

/** A network and its twin, whose kernels are `dtype` and packed as `packed`. */
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
  const taken = packConvolutions(twin, { dtype: packed, spareBytes });
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
    packConvolutions(twin!, { dtype: "float32" });
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

  test("leaves kernels alone that would take more memory than they do, unless there is some to spare", () => {
    const more = 2 * CHANNELS * CHANNELS * 9;
    const kept = twins("float32", { stored: "float16", spareBytes: more - 1 });
    expect([isPacked(kept.twin.large.weight), kept.taken]).toEqual([false, 0]);
    const { plain, twin, taken } = twins("float32", { stored: "float16", spareBytes: more });
    expect([isPacked(twin.large.weight), taken]).toEqual([true, more]);
    const [found, wanted] = noGrad(() => [twin.large.forward(x), plain.large.forward(x)]);
    expect(largestDifference(found, wanted)).toBeLessThan(1e-5);
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
    packConvolutions(twin, { dtype: "float32" });
    expect(twin.large.weight).toBe(kernel);
    const fresh = new Net();
    const before = engineInfo().liveTensors;
    packConvolutions(fresh, { dtype: "float32" });
    expect(engineInfo().liveTensors).toBe(before);
  });
});
