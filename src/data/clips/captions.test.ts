import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DataError, UserError } from "../../engine/errors.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { captionsBeside, captionsFromRows, readCaptions } from "./captions.ts";

const folder = temporaryFolder();
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const clips = [
  { source: "../videos/fox.mp4", clip: 0 },
  { source: "../videos/fox.mp4", clip: 1 },
  { source: "../videos/sea/boat.mov", clip: 0 },
  { source: "../videos/lake/boat.mov", clip: 0 },
];
const rows = (...pairs: readonly (readonly [string, string])[]) =>
  pairs.map(([clip, caption], index) => ({ row: index + 1, clip, caption }));

describe("a captions file", () => {
  test("is JSON lines or CSV, whatever else is in it", () => {
    const wanted = [
      { row: 1, clip: "fox.mp4", caption: "a fox" },
      { row: 2, clip: "boat.mov", caption: 'a "boat", far off' },
    ];
    const lines = wanted.map(({ clip, caption }) => JSON.stringify({ clip, caption, by: "me" }));
    expect(readCaptions(file("c.jsonl", `${lines.join("\n")}\n`))).toEqual(wanted);
    const table = 'by,Caption,clip\nme,a fox,fox.mp4\nme,"a ""boat"", far off",boat.mov\n';
    expect(readCaptions(file("c.csv", table))).toEqual(wanted);
    const spaced = "clip,caption,\nfox.mp4,a fox,\n,, \n"; // as spreadsheets may write it
    expect(readCaptions(file("s.csv", spaced))[0]).toEqual(wanted[0]);
  });

  test.each(["l.csv", "l.jsonl"])("that is no UTF-8 is refused: %s", (name) => {
    const path = file(name, "");
    writeFileSync(path, Buffer.from("clip,caption\nfox,Müller\n", "latin1"));
    expect(() => readCaptions(path)).toThrow(
      new DataError(`${path} is no text in UTF-8: save it in that encoding`),
    );
  });

  test.each([
    ["c.txt", "fox", UserError, /expected captions as \.jsonl or \.csv/],
    ["d.csv", "file,text\n", DataError, /columns clip and caption, got "file,text"/],
    ["e.csv", 'clip,caption\n"x', DataError, /e\.csv, line 2: .*stray quote/],
    [
      "g.csv",
      "clip,caption\n\nfox,a fox, far off\n",
      DataError,
      /g\.csv, line 3: expected 2 .*got 3/,
    ],
    ["f.jsonl", '{"clip":"x","caption":"y"}\n{"clip":"z', DataError, /line 2: it is no JSON/],
    ["e.jsonl", '{"clip":"x"}\n', DataError, /line 1: caption/],
  ])("that cannot be understood is refused: %s", (name, text, kind, sentence) => {
    const path = file(name, text);
    expect(() => readCaptions(path)).toThrow(kind);
    expect(() => readCaptions(path)).toThrow(sentence);
  });

  test("that is not there is refused", () => {
    expect(() => readCaptions(join(folder, "no.csv"))).toThrow(/there is no file .*no\.csv/);
  });
});

describe("a row of a captions file", () => {
  test("names a video by the end of its path, with its ending or without", () => {
    const given = rows(["./fox", "a fox"], ["sea/boat.mov", "a boat"]);
    const { captions, warnings } = captionsFromRows(clips, given);
    expect(captions).toEqual(["a fox", "a fox", "a boat", undefined]);
    expect(warnings).toEqual([]);
  });

  test("may name one clip of a video, and then wins over one for the whole", () => {
    const given = rows(["fox.mp4#2", "a fox\n  running "], ["fox.mp4", "a fox"]);
    expect(captionsFromRows(clips, given).captions.slice(0, 2)).toEqual(["a fox", "a fox running"]);
    const first = captionsFromRows(clips, rows(["fox#1", "one"])).captions;
    expect(first.slice(0, 2)).toEqual(["one", undefined]);
  });

  test("names a folder of pictures with its slash or without, where no video has that name", () => {
    const both = [...clips, { source: "../videos/fox/", clip: 0 }, { source: "shot.01/", clip: 1 }];
    const given = rows(["fox/", "still a fox"], ["fox.mp4", "a fox"], ["shot.01#2", "a shot"]);
    const { captions, warnings } = captionsFromRows(both, given);
    expect([captions[0], ...captions.slice(4)]).toEqual(["a fox", "still a fox", "a shot"]);
    expect(captionsFromRows(both, rows(["shot", "x"])).captions.at(-1)).toBeUndefined();
    expect(warnings).toEqual([]);
    expect(() => captionsFromRows(both, rows(["videos/fox", "x"]))).toThrow(
      /"videos\/fox" fits \.\.\/videos\/fox\.mp4 and \.\.\/videos\/fox\/: write more/,
    );
  });

  test("names a video however its letters with marks are stored", () => {
    const [composed, apart] = ["NFC", "NFD"].map((form) => "füchse.mp4".normalize(form));
    for (const [source, name] of [
      [composed, apart],
      [apart, composed],
    ] as const) {
      const { captions } = captionsFromRows([{ source: source!, clip: 0 }], rows([name!, "x"]));
      expect(captions).toEqual(["x"]);
    }
  });

  test("that fits two videos is refused; rows that fit none are told", () => {
    expect(() => captionsFromRows(clips, rows(["fox", "x"], ["boat.mov", "y"]))).toThrow(
      new UserError(
        'captions, row 2: "boat.mov" fits ../videos/sea/boat.mov and ../videos/lake/boat.mov: write more of the path',
      ),
    );
    const strangers = rows(["a", ""], ["b", ""], ["c", ""], ["x.mp4", ""]);
    expect(captionsFromRows(clips, strangers).warnings).toEqual([
      'captions for "a", "b", "c" and 1 more fit no clip',
    ]);
  });

  test("with a text that is no caption is left out, and told", () => {
    const { captions, warnings } = captionsFromRows(clips, rows(["fox", "x".repeat(501)]));
    expect(captions[0]).toBeUndefined();
    expect(warnings[0]).toMatch(/row 1: a caption has at most 500 characters/);
  });
});

test("a caption lies beside its video under either name, and an empty one is none", () => {
  file("one.txt", "\uFEFF a red\nfox \n");
  file("two.mp4.txt", "a boat");
  file("three.txt", " \n");
  file("four.txt", "x".repeat(501));
  writeFileSync(join(folder, "five.txt"), Buffer.from("Müller", "latin1"));
  file("füchse.txt".normalize("NFC"), "foxes");
  file("shot.txt", "of none");
  file("shot.01.txt", "of a folder");
  const sources = ["one", "two", "three", "four", "five", "füchse".normalize("NFD"), "none"];
  const beside = [...sources.map((name) => `${name}.mp4`), "shot.01/"].map((source) => {
    return { source, clip: 0 };
  });
  const { captions, warnings } = captionsBeside(folder, beside);
  expect(captions).toEqual([
    "a red fox",
    "a boat",
    ...[1, 2, 3].map(() => undefined),
    "foxes",
    undefined,
    "of a folder",
  ]);
  expect(warnings).toEqual([
    "four.txt: a caption has at most 500 characters, this one is left out",
    `${join(folder, "five.txt")} is no text in UTF-8: save it in that encoding; its caption is left out`,
  ]);
});

describe("the caption of a folder of pictures", () => {
  const own = temporaryFolder();
  const put = (path: string, text: string): void => {
    mkdirSync(join(own, path, ".."), { recursive: true });
    writeFileSync(join(own, path), text);
  };
  const captionOf = (source: string) => {
    const { captions, warnings } = captionsBeside(own, [{ source, clip: 0 }]);
    return { caption: captions[0], warnings };
  };

  test("is the text in it, whatever that is called, where none lies beside it", () => {
    put("fox/1.png", "");
    put("fox/.hidden.txt", "of none");
    put("fox/Prompt.TXT", "a fox");
    expect(captionOf("fox/")).toEqual({ caption: "a fox", warnings: [] });
    put("fox.txt", "a red fox");
    expect(captionOf("fox/")).toEqual({ caption: "a red fox", warnings: [] });
    expect(captionOf("gone/")).toEqual({ caption: undefined, warnings: [] });
  });

  test("is of several texts the one that is called as the folder, else it is asked for", () => {
    put("sea/about.txt", "who filmed it");
    put("sea/words.txt", "the sea");
    expect(captionOf("sea/")).toEqual({
      caption: undefined,
      warnings: [
        "sea/ holds about.txt and words.txt: name the one with its caption sea.txt; its caption is left out",
      ],
    });
    put("sea/sea.txt", "the sea at night");
    expect(captionOf("sea/")).toEqual({ caption: "the sea at night", warnings: [] });
  });
});
