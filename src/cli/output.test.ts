import { describe, expect, test } from "vitest";
import { duration, progressLine, Reporter, table, type Terminal } from "./output.ts";

function recorder(columns?: number) {
  const written = { out: "", err: "", clock: 0 };
  const terminal: Terminal = {
    out: (text) => void (written.out += text),
    err: (text) => void (written.err += text),
    columns,
    now: () => written.clock,
  };
  return { written, terminal };
}

const denoising = (step: number) =>
  ({ type: "progress", phase: "denoising", step, steps: 9 }) as const;

describe("Reporter", () => {
  test("rewrites one line on a screen, at most ten times a second", () => {
    const { written, terminal } = recorder(80);
    const report = new Reporter({}, terminal);
    report.progress(denoising(1));
    report.progress(denoising(2));
    written.clock = 150;
    report.progress(denoising(3));
    report.event({ type: "done" }, "wrote out.mp4");
    expect(written.err).toBe("\rdenoising · step 1/9\u001B[K\rdenoising · step 3/9\u001B[K\n");
    expect(written.out).toBe("wrote out.mp4\n");
  });

  test("never writes past the edge of the screen", () => {
    const { written, terminal } = recorder(10);
    new Reporter({}, terminal).progress(denoising(1));
    expect(written.err).toBe("\rdenoising\u001B[K");
  });

  test("prints sparse plain lines into a file, and every new phase", () => {
    const { written, terminal } = recorder();
    const report = new Reporter({}, terminal);
    for (const [clock, step] of [
      [0, 1],
      [2000, 2],
      [6000, 3],
    ] as const) {
      written.clock = clock;
      report.progress(denoising(step));
    }
    report.progress({ type: "progress", phase: "encoding" });
    expect(written.err).toBe("denoising · step 1/9\ndenoising · step 3/9\nencoding\n");
  });

  test("prints every event as one JSON object per line, and nothing else", () => {
    const { written, terminal } = recorder(80);
    const report = new Reporter({ json: true }, terminal);
    report.progress(denoising(1));
    report.progress(denoising(2));
    report.event({ type: "done", path: "out.mp4" }, "wrote out.mp4");
    report.warn("low memory");
    report.end();
    expect(written.err).toBe("");
    expect(
      written.out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      denoising(1),
      denoising(2),
      { type: "done", path: "out.mp4" },
      { type: "warning", message: "low memory" },
    ]);
  });
});

test("a progress line leaves out what is not known", () => {
  expect(progressLine({ type: "progress", phase: "reading" })).toBe("reading");
  expect(
    progressLine({ type: "progress", phase: "denoising", frame: 8, frames: 16, etaSeconds: 61 }),
  ).toBe("denoising · frame 8/16 · 1 min 01 s left");
});

test.each([
  [-3, "0 s"],
  [59.4, "59 s"],
  [59.6, "1 min 00 s"],
  [7500, "2 h 05 min"],
])("%d seconds read %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test("a table aligns names to the left and numbers to the right", () => {
  expect(
    table([
      ["name", "size"],
      ["a", "1.2 kB"],
      ["longer", "10.5 kB"],
      ["less", "-3"],
    ]),
  ).toBe("name    size\na        1.2 kB\nlonger  10.5 kB\nless         -3");
});
