import { expect, test } from "vitest";
import { matches } from "./patterns.ts";

test.each([
  ["*.safetensors", "unet/model.safetensors", true],
  ["*.safetensors", "model.safetensors.index.json", false],
  ["unet/*", "unet/a/b.json", true],
  ["unet/", "unet/config.json", true],
  ["unet/", "vae/unet/config.json", false],
  ["config.json", "unet/config.json", false],
  ["model.?p16.bin", "model.fp16.bin", true],
  ["model.fp16.bin", "modelxfp16.bin", false],
  ["a+(b).txt", "a+(b).txt", true],
])("%s and %s: %s", (pattern, path, fits) => {
  expect(matches(pattern, path)).toBe(fits);
});
