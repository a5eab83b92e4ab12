import {
  AVCOL_PRI_BT2020,
  AVCOL_RANGE_JPEG,
  AVCOL_SPC_BT2020_NCL,
  AVCOL_TRC_SMPTE2084,
} from "node-av/constants";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type ClipFolder,
  clipFolder,
  type ClipOptions,
  makeClip,
  metadataOf,
} from "../../../test/support/clips.ts";
import { displayMatrixOf } from "../../../test/support/display-matrix.ts";
import { standardColour } from "./colour.ts";
import { planOutput } from "./output-plan.ts";
import { probeVideo } from "./probe.ts";
import { readFrames } from "./reader.ts";
import { writeEdited } from "./writer.ts";

let folder: ClipFolder;
beforeAll(async () => {
  folder = await clipFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

const hdr = {
  ...standardColour,
  space: AVCOL_SPC_BT2020_NCL,
  primaries: AVCOL_PRI_BT2020,
  transfer: AVCOL_TRC_SMPTE2084,
};
const sideways = displayMatrixOf({ rotation: 90, mirrored: false });
const late = [6400, 6912, 7424];

describe("what an output will not have of its source is said", () => {
  test.each<[string, ClipOptions, string, string[]]>([
    ["plain.mp4", { audio: "aac" }, "mkv", []],
    [
      "ten-bits.mov",
      { codec: "prores" },
      "mov",
      ["ten-bits.mov has 10 bits a channel: it is edited with 8 bits, its colour tags are kept"],
    ],
    [
      "hdr.mkv",
      { codec: "prores", colour: hdr },
      "mp4",
      [
        "hdr.mkv has 10 bits a channel and HDR (PQ): it is edited with 8 bits, its colour tags are kept",
      ],
    ],
    [
      "texts.mkv",
      { subtitles: ["one"] },
      "mp4",
      ["MP4 cannot hold subrip subtitles: they are left out"],
    ],
    [
      "turned.mp4",
      { displayMatrix: sideways },
      "avi",
      ["AVI cannot say how to turn the picture: its pixels are turned instead"],
    ],
    [
      "wide.mp4",
      { sampleAspectRatio: { num: 4, den: 3 } },
      "avi",
      ["AVI cannot say that pixels are not square (4:3): players will show another shape"],
    ],
    [
      "odd.mkv",
      { width: 63 },
      "mp4",
      ["an odd size (63 × 48) is stored in 4:4:4, which QuickTime and Safari do not play"],
    ],
    [
      "late.mp4",
      { ticks: late },
      "avi",
      ["AVI begins with its first picture: the 0.50 s before it are left out"],
    ],
    [
      "loud.mp4",
      { audio: "aac" },
      "gif",
      [
        "GIF keeps 256 colours a picture, and times to 1/100 s",
        "GIF has no sound: the audio of loud.mp4 is left out",
      ],
    ],
  ])("%s %j as %s", async (name, options, extension, notices) => {
    await makeClip(folder.file(name), options);
    const plan = await planOutput(
      await probeVideo(folder.file(name)),
      folder.file(`out.${extension}`),
    );
    expect(plan.notices).toEqual(notices);
  });

  test("the full range, where ProRes has none", async () => {
    const path = folder.file("full.mp4");
    await makeClip(path, { colour: { ...standardColour, range: AVCOL_RANGE_JPEG } });
    const { notices } = await planOutput(await probeVideo(path), folder.file("out.mov"), {
      codec: "prores",
    });
    expect(notices).toEqual([
      "prores has no full colour range: the same colours are stored in the limited one",
    ]);
  });
});

describe("subtitles and texts", () => {
  test("stay where the container has a place for them", async () => {
    const [path, output] = [folder.file("two.mkv"), folder.file("two-out.mkv")];
    await makeClip(path, {
      subtitles: ["one", "two"],
      audio: "libopus",
      metadata: { title: "a ball" },
    });
    const source = await probeVideo(path);
    await writeEdited(source, output, readFrames(path), { metadata: { comment: "{}" } });
    expect(await probeVideo(output)).toMatchObject({
      subtitleCodecs: ["subrip"],
      audioCodecs: ["opus"],
    });
    expect(await metadataOf(output)).toMatchObject({ title: "a ball" });
  });
});
