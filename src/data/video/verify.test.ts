import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AVCOL_RANGE_JPEG } from "node-av/constants";
import { type ClipFolder, clipFolder, makeClip } from "../../../test/support/clips.ts";
import { displayMatrixOf } from "../../../test/support/display-matrix.ts";
import { standardColour } from "./colour.ts";
import { containerFor } from "./containers.ts";
import { probeVideo } from "./probe.ts";
import { type MediaContract, verifyWritten } from "./verify.ts";

let folder: ClipFolder;
let honest: MediaContract;
let path: string;
const sideways = displayMatrixOf({ rotation: 90, mirrored: false });
const silence = { codec: "aac", packets: 1, sha256: "0".repeat(64), starts: [0] };

beforeAll(async () => {
  folder = await clipFolder();
  path = folder.file("clip.mp4");
  await makeClip(path, { displayMatrix: sideways, metadata: { title: "a ball" } });
  const { frameRate, timeBase } = await probeVideo(path);
  honest = {
    container: containerFor(path),
    picture: {
      width: 64,
      height: 48,
      colour: standardColour,
      frameRate,
      timeBase,
      sampleAspectRatio: { num: 1, den: 1 },
      displayMatrix: sideways,
    },
    starts: Array.from({ length: 12 }, (_, index) => index * 0.04),
    endSeconds: 0.48,
    copied: [],
    chapters: [],
    metadata: { title: "a ball" },
  };
});
afterAll(() => folder[Symbol.asyncDispose]());

describe("a written file", () => {
  test("that holds what it must passes", async () => {
    expect(await verifyWritten(path, honest)).toEqual([]);
  });

  test("is asked for each thing it must hold", async () => {
    const { picture, starts } = honest;
    const broken: readonly (readonly [Partial<MediaContract>, RegExp])[] = [
      [{ picture: { ...picture, width: 66 } }, /the size would be "64 × 48" instead of "66 × 48"/],
      [{ picture: { ...picture, displayMatrix: null } }, /the rotation would be/],
      [{ picture: { ...picture, sampleAspectRatio: { num: 4, den: 3 } } }, /the pixel shape/],
      [
        { picture: { ...picture, colour: { ...standardColour, range: AVCOL_RANGE_JPEG } } },
        /the colour range/,
      ],
      [{ starts: [...starts, 0.48] }, /the number of pictures would be 12 instead of 13/],
      [
        { starts: starts.with(5, 0.201) },
        /the time of picture 5 would be 0\.2 s instead of 0\.201/,
      ],
      [{ endSeconds: 0.5 }, /the end of the last picture would be 0\.48 s instead of 0\.5 s/],
      [
        { chapters: [{ start: 5n, end: null, title: "One" }] },
        /the chapters would be \[\] instead of \["5– One"\]/,
      ],
      [{ copied: [silence] }, /the streams beside the pictures would be \[\] instead of \["aac"\]/],
    ];
    for (const [change, sentence] of broken) {
      await expect(verifyWritten(path, { ...honest, ...change })).rejects.toThrow(sentence);
    }
  });

  test("is asked for every byte and every time of its sound", async () => {
    const withSound = folder.file("sound.mp4");
    await makeClip(withSound, { displayMatrix: sideways, audio: "aac" });
    const failure = verifyWritten(withSound, { ...honest, copied: [silence] });
    await expect(failure).rejects.toThrow(/bytes of the aac stream 1 would be/);
  });

  test("says which metadata it has no place for", async () => {
    const metadata = { title: "a ball", mood: "good" };
    expect(await verifyWritten(path, { ...honest, metadata })).toEqual([
      "MP4 has no place for the metadata mood: left out",
    ]);
  });
});
