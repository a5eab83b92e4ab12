import { spawnSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { pipedFile, sendFile, storeStream } from "../../data/video/pipes.ts";
import { encodingFrom, outputOf } from "./edit-files.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const settings = { instruction: "make the ball blue", task: "object" };

describe("where an edit goes", () => {
  test("is said by -o, by --tgve, or by the video's name", () => {
    expect(outputOf({}, "clips/fox.mov", settings)).toBe("fox-edited.mp4");
    expect(outputOf({}, "-", settings)).toBe("stdin-edited.mp4");
    expect(outputOf({ out: "-" }, "fox.mov", settings)).toBe("-");
    expect(outputOf({ out: "root", tgve: "DAVIS" }, "a/fox.mov", settings)).toBe(
      "root/DAVIS/fox/object/",
    );
    expect(() => outputOf({ tgve: "DAVIS" }, "-", settings)).toThrow(
      /--tgve names folders after the video/,
    );
  });

  test("is stored as the options say, else as the receipt says", () => {
    const output = { path: "a.mkv", frames: 1, codec: "ffv1" as const, quality: "best" as const };
    expect(encodingFrom({}, "b.mp4")).toEqual({});
    expect(encodingFrom({ codec: "hevc", quality: "20" }, "b.mp4", { output })).toEqual({
      codec: "hevc",
      quality: 20,
    });
    expect(encodingFrom({}, "b.mkv", { output })).toEqual({ codec: "ffv1", quality: "best" });
    expect(encodingFrom({}, "b/", { output })).toEqual({});
    expect(encodingFrom({ tgve: "DAVIS" }, "b/")).toEqual({ pictures: "tgve" });
  });
});

describe("a pipe", () => {
  const leftovers = async () =>
    (await readdir(tmpdir())).filter((name) => name.startsWith("open-eve-pipe-"));

  test("is stored, sent on byte by byte, and leaves nothing", async () => {
    const before = await leftovers();
    const sent: Buffer[] = [];
    {
      await using file = await pipedFile("video");
      await storeStream(
        Readable.from([Buffer.from("abc"), Buffer.from("def")]),
        file.path,
        undefined,
      );
      expect(await readFile(file.path, "utf8")).toBe("abcdef");
      const sink = new Writable({ write: (chunk: Buffer, _, done) => (sent.push(chunk), done()) });
      await sendFile(file.path, sink);
      expect(sink.writableEnded).toBe(false);
    }
    expect(Buffer.concat(sent).toString()).toBe("abcdef");
    expect(await leftovers()).toEqual(before);
  });

  test("that brings nothing is one sentence, and nothing goes to stdout", async () => {
    const before = await leftovers();
    const result = spawnSync(process.execPath, [main, "edit", "-", "make it blue", "-o", "-"], {
      encoding: "utf8",
      input: "",
      env: { ...process.env, EVE_DOOR: "/nonexistent/door.node" },
    });
    expect(result.stderr).toBe("eve: Nothing came through the pipe: give a video on stdin.\n");
    expect([result.status, result.stdout]).toEqual([2, ""]);
    expect(await leftovers()).toEqual(before);
  });
});
