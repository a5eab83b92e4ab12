import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../engine/errors.ts";
import { writeDataSet } from "../../../test/support/data-set.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { dataFiles } from "./dataset.ts";
import { findVideos } from "./find-videos.ts";

const root = temporaryFolder();
const putIn = (folder: string, ...names: readonly string[]): string => {
  const path = join(folder, ...names);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
  return path;
};
const put = (...names: readonly string[]): string => putIn(root, ...names);
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

describe("pictures", () => {
  const own = temporaryFolder();
  const shots = join(own, "shots");
  const fox = join(shots, "fox");
  for (const name of [
    "1.png",
    "2.JPG",
    "frames.json",
    "frames.ffconcat",
    "captions.csv",
    "fox.txt",
  ])
    putIn(own, "shots", "fox", name);
  putIn(own, "shots", "fox", ".DS_Store");
  const video = putIn(own, "shots", "sea.mp4");
  const photo = putIn(own, "shots", "photo.jpg");

  test("that are alone in a folder, but for their times and captions, are one video", async () => {
    expect(await findVideos([shots])).toEqual({ videos: [fox, video], passedOver: [photo] });
    expect(await findVideos([fox])).toEqual({ videos: [fox], passedOver: [] });
    expect((await findVideos([`${fox}/`, shots])).videos).toEqual([`${fox}/`, video]);
  });

  test.each(["clip.mp4", "notes.md", "1.txt", "folder/x.txt"])(
    "that lie beside %s are none, and are told",
    async (other) => {
      const folder = other.replaceAll(/\W/g, "-");
      const picture = putIn(own, "mixed", folder, "1.png");
      putIn(own, "mixed", folder, other);
      const { videos, passedOver } = await findVideos([join(own, "mixed", folder), b]);
      const filmed = other.endsWith(".mp4") ? [join(own, "mixed", folder, other)] : [];
      expect(videos).toEqual([...filmed, b]);
      expect(passedOver).toContain(picture);
    },
  );

  test("of a data set are none: it lies among what it was made of, and all of it is left out", async () => {
    const data = join(own, "filmed", "data");
    writeDataSet(data, ["a fox"]);
    putIn(own, "filmed", "data", "strips", "1.jpg");
    const frame = putIn(own, "filmed", "1.png");
    expect(dataFiles(data).strips).toBe(join(data, "strips"));
    expect(await findVideos([dirname(frame)])).toEqual({
      videos: [dirname(frame)],
      passedOver: [],
    });
    await expect(findVideos([data])).rejects.toThrow(/has no video/);
  });
});

test("a path that does not exist, and a folder without a video, are refused", async () => {
  const missing = join(root, "nowhere");
  await expect(findVideos([missing])).rejects.toThrow(
    new UserError(`there is no file or folder ${missing}: check the path`),
  );
  mkdirSync(join(root, "empty"));
  await expect(findVideos([join(root, "empty")])).rejects.toThrow(
    /empty has no video: give a folder with files such as mp4.*, or with the pictures of one video/,
  );
});
