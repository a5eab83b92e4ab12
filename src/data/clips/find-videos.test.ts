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
  expect(await findVideos([root])).toEqual([upper, deep, b]);
});

test("a file that is named may have any ending, and counts once", async () => {
  expect(await findVideos([odd, b, root])).toEqual([odd, b, upper, deep]);
});

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
