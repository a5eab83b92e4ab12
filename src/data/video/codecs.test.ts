import { describe, expect, test } from "vitest";
import { CODECS, encodingFor, readCodec, readQuality } from "./codecs.ts";
import { chooseEncoding, containerFor } from "./containers.ts";

const size = { width: 64, height: 48 };

describe("a codec and a quality", () => {
  test("are what the container holds first, and good, if nothing is said", () => {
    const chosen = ["a.mp4", "a.mov", "a.mkv", "a.webm", "a.avi", "a.gif"].map(
      (name) => chooseEncoding(containerFor(name), {}, size).codec,
    );
    expect(chosen).toEqual(["h264", "h264", "h264", "vp9", "h264", "gif"]);
    expect(chooseEncoding(containerFor("a.mp4"), {}, size).options).toMatchObject({ crf: "14" });
  });

  test.each([
    [
      "a.mp4",
      { codec: "prores" },
      /^MP4 cannot hold prores: it holds h264, hevc, av1 or vp9; write \.mov or \.mkv for prores\.$/,
    ],
    [
      "a.webm",
      { codec: "h264" },
      /^WebM cannot hold h264: it holds vp9 or av1; write \.mp4, \.m4v, \.mov, \.mkv or \.avi for h264\.$/,
    ],
    ["a.gif", { codec: "av1" }, /^GIF cannot hold av1: it holds gif; write /],
    [
      "a.mp4",
      { codec: "av1", quality: "lossless" },
      /^av1 cannot keep every bit: lossless works with h264, hevc, vp9, ffv1\.$/,
    ],
    [
      "a.mov",
      { codec: "prores", quality: 10 },
      /^prores has no number for quality: choose draft, good or best\.$/,
    ],
    [
      "a.mp4",
      { codec: "h264", quality: 52 },
      /^The quality of h264 is a number from 0 \(best\) to 51, got 52\.$/,
    ],
    ["a.mp4", { codec: "vp9", quality: -1 }, /to 63, got -1\.$/],
  ] as const)("%s refuses %j", (name, choice, sentence) => {
    expect(() => chooseEncoding(containerFor(name), choice, size)).toThrow(sentence);
  });

  test("refuse pictures smaller than the encoder takes", () => {
    const tiny = { width: 8, height: 8 };
    expect(() => encodingFor("hevc", "good", tiny)).toThrow(
      /^hevc needs at least 64 × 16 pixels, .* 8 × 8: choose h264/,
    );
    expect(() => encodingFor("av1", "good", tiny)).toThrow(/^av1 needs at least 32 × 32 pixels/);
    expect(encodingFor("h264", "good", { width: 1, height: 1 }).codec).toBe("h264");
  });

  test("are read from a user's words", () => {
    expect(CODECS.map((name) => readCodec(name))).toEqual(CODECS);
    expect(["draft", "17", "22.5"].map((text) => readQuality(text))).toEqual(["draft", 17, 22.5]);
    expect(() => readCodec("divx")).toThrow(/^--codec: expected one of h264, .*, got "divx"$/);
    expect(() => readQuality("")).toThrow(
      /^--quality: expected draft, good, best, lossless or .*, got ""$/,
    );
  });
});
