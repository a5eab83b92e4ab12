import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UserError } from "../../engine/errors.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { findVideos } from "./find-videos.ts";

const root = temporaryFolder();
const put = (...names: readonly string[]): string => {
  const path = join(root, ...names);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, "");
  return path;
};
const b = put("b.mp4");
const upper = put("a", "C.MOV");
const deep = put("a", "d", "e.webm");
const odd = put("a", "clip.data");
put("a", "notes.txt");
put(".hidden", "f.mp4");
put("a", "._ghost.mp4");
symlinkSync(root, join(root, "a", "loop"));

test("folders are searched through in the order of names; hidden files, other files and loops are left out", async () => {
  expect((await findVideos([root])).videos).toEqual([upper, deep, b]);
});

test("a file that is named may have any ending, and counts once", async () => {
  expect((await findVideos([odd, b, root])).videos).toEqual([odd, b, upper, deep]);
});

test("files that are no videos by their names are told, but captions and what is hidden are not", async () => {
  put("a", "captions.jsonl");
  expect((await findVideos([root, b])).passedOver).toEqual([odd]);
  expect((await findVideos([b])).passedOver).toEqual([]);
});

test.each(["ogv", "m2ts", "MXF", "vob", "f4v", "asf"])(
  "a file is a video by its name: %s",
  async (ending) => {
    const path = put(ending, `one.${ending}`);
    expect(await findVideos([join(root, ending)])).toEqual({ videos: [path], passedOver: [] });
  },
);

test("a path that does not exist, and a folder without a video, are refused", async () => {
  const missing = join(root, "nowhere");
  await expect(findVideos([missing])).rejects.toThrow(
    new UserError(`there is no file or folder ${missing}: check the path`),
  );
  mkdirSync(join(root, "empty"));
  await expect(findVideos([join(root, "empty")])).rejects.toThrow(
    /empty has no video: give a folder with files such as mp4/,
  );
});
