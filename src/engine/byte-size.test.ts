import { expect, test } from "vitest";
import { byteSize } from "./byte-size.ts";

test.each([
  [999, "999 B"],
  [1200, "1.2 kB"],
  [37_000_000, "37.0 MB"],
])("%d bytes read %s", (bytes, text) => {
  expect(byteSize(bytes)).toBe(text);
});
