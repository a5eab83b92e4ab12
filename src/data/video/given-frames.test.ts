import { createHash } from "node:crypto";
import { PassThrough, Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { clipPicture } from "../../../test/support/clips.ts";
import type { FrameSource, InputFrame } from "./frame-source.ts";
import { GivenFrames } from "./given-frames.ts";
import type { DecodedFrame } from "./reader.ts";
import { withSource } from "./video-source.ts";

const [WIDTH, HEIGHT] = [6, 4];

function picture(index: number, ptsSeconds?: number): InputFrame {
  const own = { rgb: clipPicture(index, WIDTH, HEIGHT), width: WIDTH, height: HEIGHT };
  return ptsSeconds === undefined ? own : { ...own, ptsSeconds };
}

const pictures = (count: number) => Array.from({ length: count }, (_, index) => picture(index));
const timed = (times: readonly number[]) => times.map((time, index) => picture(index, time));

/** Frames that note how they were asked for. */
function watched(count: number, noted: string[]) {
  return (async function* () {
    try {
      for (let index = 0; index < count; index++) {
        noted.push(`frame ${index}`);
        yield picture(index);
      }
    } finally {
      noted.push("closed");
    }
  })();
}

async function read(source: FrameSource): Promise<DecodedFrame[]> {
  const frames: DecodedFrame[] = [];
  await withSource(source, async (open) => {
    await open.probe();
    for await (const frame of open.frames()) frames.push(frame);
  });
  return frames;
}

const probed = (source: FrameSource) => withSource(source, (open) => open.probe());

describe("frames that a program gives", () => {
  test("come as they were given, 25 a second, from whatever can be iterated over", async () => {
    const expected = pictures(3).map(({ rgb }) => rgb);
    const sources: FrameSource["frames"][] = [
      pictures(3),
      new Set(pictures(3)),
      pictures(3).values(),
      watched(3, []),
      Readable.from(pictures(3)),
      ReadableStream.from(pictures(3)),
      () => pictures(3),
      () => watched(3, []),
    ];
    for (const frames of sources) {
      const found = await read({ frames });
      expect(found.map(({ rgb }) => rgb)).toEqual(expected);
      expect(found.map(({ index, ptsSeconds }) => [index, ptsSeconds])).toEqual([
        [0, 0],
        [1, 0.04],
        [2, 0.08],
      ]);
      expect(found[2]).toMatchObject({ width: WIDTH, height: HEIGHT, pixelAspect: 1 });
    }
  });

  test("are copied: one buffer may serve for all, and the program's own stay as they are", async () => {
    const rgb = Buffer.alloc(WIDTH * HEIGHT * 3);
    const drawn = (function* () {
      for (const value of [10, 20, 30])
        yield { rgb: rgb.fill(value), width: WIDTH, height: HEIGHT };
    })();
    const found = await read({ frames: drawn });
    expect(found.map((frame) => frame.rgb[0])).toEqual([10, 20, 30]);
    for (const frame of found) expect(frame.rgb.buffer).not.toBe(rgb.buffer);
  });

  test.each([
    [24, 24, 1],
    [29.97, 30000, 1001],
    [12.5, 12500, 1000],
    [0.01, 10, 1000],
    [1000, 1000, 1],
  ])("%d of them a second last exactly so", async (framesPerSecond, num, den) => {
    const source = { frames: pictures(2), framesPerSecond };
    expect(await probed(source)).toMatchObject({ frameRate: { num, den }, pictures: "timed" });
    const [first, second] = await read(source);
    expect([first!.pts, first!.duration, second!.pts, second!.duration]).toEqual([0n, 1n, 1n, 1n]);
    expect(second!.timeBase).toEqual({ num: den, den: num });
  });

  test("tell their size, and how many there are where that can be told", async () => {
    expect(await probed({ frames: pictures(5) })).toMatchObject({
      width: WIDTH,
      height: HEIGHT,
      frames: 5,
      durationSeconds: 0.2,
      averageFps: 25,
      pictures: "untimed",
      path: null,
    });
    expect((await probed({ frames: () => pictures(5) })).frames).toBe(5);
    const unknown = await probed({ frames: watched(5, []) });
    expect([unknown.frames, unknown.durationSeconds]).toEqual([null, 0]);
    expect((await probed({ frames: watched(5, []), count: 5 })).frames).toBe(5);
  });

  test("have the hash of all their pixels", async () => {
    const hash = createHash("sha256");
    for (const { rgb } of pictures(3)) hash.update(rgb);
    const source = new GivenFrames({ frames: () => pictures(3) });
    for await (const _ of source.frames()) expect(source.sha256()).toHaveLength(64);
    expect(source.sha256()).toBe(hash.digest("hex"));
  });

  test("are told by them and their times from others", async () => {
    const of = (source: FrameSource) => new GivenFrames(source).fingerprint();
    const told = await of({ frames: pictures(3) });
    expect(await of({ frames: () => watched(3, []), framesPerSecond: 25 })).toBe(told);
    const others = [
      { frames: pictures(2) },
      { frames: pictures(3).toReversed() },
      { frames: pictures(3), framesPerSecond: 30 },
      { frames: timed([0, 1, 3]) },
      { frames: timed([0, 1, 2]) },
    ];
    const all = await Promise.all(others.map(of));
    expect(new Set([told, ...all]).size).toBe(others.length + 1);
  });

  test("that are given differently each time are refused where they are to be known again", async () => {
    const again = async (first: number[], then: number[]) => {
      const readings = [then, first]; // the fingerprint reads first
      const source = new GivenFrames({ frames: () => readings.pop()!.map((one) => picture(one)) });
      await source.fingerprint();
      const given: number[] = [];
      const reading = (async () => {
        for await (const { index } of source.frames()) given.push(index);
      })();
      return [await reading.catch(({ message }: Error) => message), given];
    };
    expect(await again([1, 2, 3], [1, 2, 3])).toEqual([undefined, [0, 1, 2]]);
    const sentence = (from: number) =>
      `video.frames: gave other frames when they were read again, from frame ${from} on: to go on with an edit, give the same each time`;
    expect(await again([1, 2, 3, 4], [1, 2, 7, 4])).toEqual([sentence(2), [0]]);
    expect(await again([1, 2, 3], [1, 2])).toEqual([sentence(2), [0]]);
    expect(await again([1, 2], [1, 2, 3])).toEqual([sentence(2), [0]]);
  });
});

describe("times of their own", () => {
  test("count from the first frame's; each lasts until the next, the last as long as the one before it", async () => {
    const found = await read({ frames: timed([7.5, 7.54, 7.7, 8]) });
    expect(found.map(({ ptsSeconds }) => ptsSeconds)).toEqual([0, 0.04, 0.2, 0.5]);
    expect(found.map(({ duration }) => Number(duration) / 120_000)).toEqual([0.04, 0.16, 0.3, 0.3]);
  });

  test("are exact for broadcast rates, and tell the rate by the first two", async () => {
    const times = [0, 1, 2].map((index) => (index * 1001) / 24000);
    const found = await read({ frames: timed(times) });
    expect(found.map(({ pts }) => pts)).toEqual([0n, 5005n, 10010n]);
    const info = await probed({ frames: timed(times) });
    expect(info.frameRate.num / info.frameRate.den).toBe(24000 / 1001);
    expect(info).toMatchObject({ variableFrameRate: false, pictures: "timed" });
  });

  test.each([
    ["evenly spaced", [3, 3.1, 3.2, 3.3], 10],
    ["rounded to milliseconds", [0, 0.033, 0.067, 0.1], 30],
    ["of 30.3 a second", [0, 1 / 30.3, 2 / 30.3], 30.3],
    ["two", [0, 0.5], 2],
  ])("of an array are a constant rate where they are even: %s", async (_, times, rate) => {
    const { variableFrameRate, frameRate, durationSeconds } = await probed({
      frames: timed(times),
    });
    expect(variableFrameRate).toBe(false);
    expect(frameRate.num / frameRate.den).toBeCloseTo(rate, 9);
    expect(durationSeconds).toBeCloseTo(times.length / rate, 9);
  });

  test.each<[string, FrameSource["frames"]]>([
    ["of uneven ones", timed([0, 0.04, 0.09])],
    ["of a frame in three hours", timed([0, 3000, 6000, 9000])],
    ["of what tells no more than the first ones", timed([0, 1, 2]).values()],
  ])("are a variable rate, at that of the first two: %s", async (_, frames) => {
    const info = await probed({ frames });
    expect(info).toMatchObject({ variableFrameRate: true, durationSeconds: 0 });
  });

  test("of a single frame make it last as long as one of 25 a second", async () => {
    const [only] = await read({ frames: timed([3]) });
    expect([only!.ptsSeconds, Number(only!.duration) / only!.timeBase.den]).toEqual([0, 0.04]);
  });

  test("give way to a number of frames a second", async () => {
    const found = await read({ frames: timed([0, 5, 6]), framesPerSecond: 10 });
    expect(found.map(({ ptsSeconds }) => ptsSeconds)).toEqual([0, 0.1, 0.2]);
  });

  test.each([
    ["do not rise", [0, 1, 1], /frame 2 is shown 0 s after the one before it: expected .* rise/],
    ["go back at once", [1, 0], /frame 1 is shown -1 s after/],
    ["are no seconds", [0, 40_000], /frame 1 is shown 40000 s after .* by an hour at most/],
  ])("that %s are refused", async (_, times, sentence) => {
    await expect(read({ frames: timed(times) })).rejects.toThrow(sentence);
  });

  test("that one frame lacks are refused", async () => {
    const frames = [...timed([0, 1]), picture(2)];
    await expect(read({ frames })).rejects.toThrow(
      /expected ptsSeconds of frame 2, as frame 0 has it: give it for all frames, or framesPerSecond/,
    );
  });
});

describe("frames that cannot be used", () => {
  const wide = { rgb: new Uint8Array(8 * 4 * 3), width: 8, height: 4 };
  test.each<[string, unknown, RegExp]>([
    ["another size", [picture(0), wide], /frame 1 is 8 × 4, and frame 0 is 6 × 4: bring/],
    ["too few bytes", [{ ...wide, width: 9 }], /frame 0 is 9 × 4: expected 108 .*, got 96$/],
    [
      "alpha",
      [{ rgb: new Uint8Array(96), width: 6, height: 4 }],
      /expected 72 bytes of packed RGB, got 96, as RGBA has: leave alpha out$/,
    ],
    ["no size", [{ rgb: new Uint8Array(0), width: 0, height: 4 }], /width: 0, height: 4 }$/],
    [
      "another array",
      [{ data: new Uint8ClampedArray(4), width: 1, height: 1 }],
      /expected frame 0 as .*, got { data: Uint8ClampedArray, width: 1, height: 1 }$/,
    ],
    ["no time", [{ ...wide, ptsSeconds: Number.NaN }], /ptsSeconds: NaN }$/],
    ["bytes alone", [new Uint8Array(72)], /, got Uint8Array$/],
    ["nothing", [picture(0), undefined], /expected frame 1 as .*, got nothing$/],
    ["none", [], /gave no frame: expected at least one/],
  ])("of %s are refused in one sentence", async (_, frames, sentence) => {
    const refusal = await read({ frames: frames as InputFrame[] }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: "UserError", message: expect.stringMatching(sentence) });
    expect(String(refusal)).toMatch(/^UserError: video\.frames: [^\n]{10,250}$/);
  });

  test("of a function that gives nothing to iterate over", async () => {
    const frames: unknown = () => Promise.resolve(pictures(1));
    await expect(read({ frames: frames as () => InputFrame[] })).rejects.toThrow(
      /expected the function to return an array, a generator or another iterable, got Promise$/,
    );
  });

  test("of another number than was told", async () => {
    const told = async (frames: FrameSource["frames"], count: number) =>
      read({ frames, count }).catch(({ message }: Error) => message);
    expect(await told(pictures(2), 3)).toMatch(/expected 3 frames, .* got 2 in the array: correct/);
    expect(await told(watched(2, []), 3)).toMatch(/^video\.count: expected 3 frames, .* got 2: /);
    expect(await told(watched(4, []), 3)).toMatch(/expected 3 frames, as it says, got more: /);
  });

  test("again, of what gives them once", async () => {
    const frames = watched(3, []);
    await probed({ frames });
    await expect(read({ frames })).rejects.toThrow(
      "video.frames: these were read before, and can be read once: give an array, or a function that gives them anew",
    );
    await expect(read({ frames: () => frames })).rejects.toThrow("these were read before");
  });

  test("of a stream that was read before, whole or in part, or is being read", async () => {
    const asked = async (use: (stream: Readable) => unknown) => {
      const stream = Readable.from(pictures(3));
      await use(stream);
      await expect(read({ frames: stream })).rejects.toThrow(
        /^video\.frames: these were read before/,
      );
    };
    await asked((stream) => read({ frames: stream }));
    await asked((stream) => probed({ frames: stream }));
    await asked((stream) => stream.destroy());
    await asked(async (stream) => {
      for await (const _ of stream) break;
    });
    await asked((stream) => void probed({ frames: stream }));
    const web = ReadableStream.from(pictures(3));
    web.getReader();
    await expect(read({ frames: web })).rejects.toThrow(/^video\.frames: .* is locked to a reader/);
  });

  test("of a stream that is destroyed on the way; what it is destroyed for is told as it is", async () => {
    const destroyed = (error?: Error) => {
      const stream = new PassThrough({ objectMode: true });
      stream.write(picture(0));
      stream.once("data", () => setImmediate(() => stream.destroy(error)));
      return read({ frames: stream });
    };
    await expect(destroyed()).rejects.toThrow(
      /^video\.frames: the stream was destroyed before its end, at frame [01]: end it/,
    );
    const mishap = new Error("the camera fell");
    await expect(destroyed(mishap)).rejects.toBe(mishap);
  });
});

describe("the end of frames", () => {
  test("is no sooner told to the program than nothing more is wanted", async () => {
    const noted: string[] = [];
    await probed({ frames: watched(9, noted) });
    expect(noted).toEqual(["frame 0", "closed"]);
    noted.length = 0;
    await read({ frames: watched(2, noted) });
    expect(noted).toEqual(["frame 0", "frame 1", "closed"]);
  });

  test("is told where a frame is refused", async () => {
    const noted: string[] = [];
    await expect(read({ frames: watched(9, noted), count: 1 })).rejects.toThrow("got more");
    expect(noted).toEqual(["frame 0", "frame 1", "closed"]);
  });

  test("is an error of the program's own as it is, and nothing is closed then", async () => {
    const mishap = new Error("the camera fell");
    let isClosed = false;
    const iterator = {
      next: () => Promise.reject(mishap),
      return: () => Promise.resolve({ done: true as const, value: void (isClosed = true) }),
    };
    const frames = { [Symbol.asyncIterator]: () => iterator };
    await expect(read({ frames })).rejects.toBe(mishap);
    expect(isClosed).toBe(false);
    const failing = (): never => {
      throw mishap;
    };
    await expect(read({ frames: failing })).rejects.toBe(mishap);
  });

  test("is not waited for where the program gives neither a frame nor an end", async () => {
    const controller = new AbortController();
    let isClosed = false;
    const iterator = {
      next: () => (controller.abort(), new Promise<never>(() => undefined)),
      return: () => ((isClosed = true), new Promise<never>(() => undefined)),
    };
    const frames = { [Symbol.asyncIterator]: () => iterator };
    const probing = withSource({ frames }, (open) => open.probe(controller.signal));
    await expect(probing).rejects.toThrow("aborted");
    expect(isClosed).toBe(true);
  });

  test("that fails is told, unless something failed before it", async () => {
    const frames = () =>
      (function* () {
        try {
          yield picture(0);
          yield { ...picture(1), width: 7 };
        } finally {
          // oxlint-disable-next-line no-unsafe-finally -- what a program may do
          throw new Error("cannot close");
        }
      })();
    await expect(probed({ frames })).rejects.toThrow("cannot close");
    await expect(read({ frames })).rejects.toThrow("frame 1 is 7 × 4: expected");
    const known = new GivenFrames({ frames }).fingerprint();
    await expect(known).rejects.toThrow("frame 1 is 7 × 4: expected");
  });
});
