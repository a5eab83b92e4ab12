import { afterEach, describe, expect, test } from "vitest";
import { chooseDevice, defaultDevice, setDefaultDevice } from "./device.ts";
import { ConfigError } from "./errors.ts";
import { engineInfo } from "./settings.ts";
import { Tensor } from "./tensor.ts";

afterEach(() => setDefaultDevice("cpu"));

describe("the default device", () => {
  test("is where tensors are made that name none, and no other", () => {
    setDefaultDevice("meta");
    const made = [Tensor.zeros([2]), Tensor.ones([2]), Tensor.full([2], 3), Tensor.arange(2)];
    expect([...made, Tensor.from([1], [1])].map(({ device }) => device)).toEqual(
      Array.from({ length: 5 }, () => "meta"),
    );
    expect(Tensor.from([1], [1], "float32", "cpu").device).toBe("cpu");
  });

  test("is the CPU where it is chosen, and a CUDA device only where there is one", () => {
    chooseDevice("cpu");
    expect(defaultDevice()).toBe("cpu");
    const hasCuda = engineInfo().cudaDevices > 0;
    chooseDevice("auto");
    expect(defaultDevice()).toBe(hasCuda ? "cuda:0" : "cpu");
    expect(() => chooseDevice("mps")).toThrow(/cannot compute on Apple/);
    if (!hasCuda) expect(() => chooseDevice("cuda")).toThrow(ConfigError);
  });
});
