import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { Rng } from "../../src/engine/random.ts";
import { makeClip } from "../support/clips.ts";
import { saveSmallModel } from "../support/small-model.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const program = fileURLToPath(new URL("../support/edit-and-die.ts", import.meta.url));

// 60 frames in windows of 4 that share 2: 29 windows.
const FRAMES = 60;
const KILLS = 10;

describe("an edit that is killed at ten random moments and resumed each time", () => {
  let folder = "";
  const file = (name: string) => join(folder, name);
  beforeAll(async () => {
    folder = temporaryFolder();
    saveSmallModel(file("model"), { isTrained: true });
    const ticks = Array.from({ length: FRAMES }, (_, index) => index * 512);
    await makeClip(file("input.mp4"), { width: 48, height: 32, ticks, audio: "aac" });
  });

  /** Runs the edit until it has told of so many steps; the signal that ended it, or null. */
  function edit(output: string, stepsToLive: number): NodeJS.Signals | null {
    const args = [program, file("model"), file("input.mp4"), file(output), String(stepsToLive)];
    const { status, signal, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    if (status !== 0 && signal === null) throw new Error(stderr);
    return signal;
  }

  test("makes the same file, bit for bit, and leaves nothing beside it", () => {
    expect(edit("straight.mp4", Infinity)).toBeNull();
    const moments = Rng.seed(2026).split("kills");
    for (let kill = 0; kill < KILLS; kill++) {
      // A window tells of three steps, and of each frame; frames done before are told again, their steps are not.
      const stepsToLive = 1 + kill * 4 + moments.split(kill).integer(24);
      expect(edit("killed.mp4", stepsToLive)).toBe("SIGKILL");
      expect(existsSync(file("killed.mp4"))).toBe(false);
    }
    const windows = readdirSync(file("killed.mp4.work")).filter((name) => /^0-\d+\./.test(name));
    expect(windows.length).toBeGreaterThan(KILLS / 2);
    expect(edit("killed.mp4", Infinity)).toBeNull();
    expect(readFileSync(file("killed.mp4"))).toEqual(readFileSync(file("straight.mp4")));
    const left = readdirSync(folder).filter((name) => name.includes("killed"));
    expect(left.toSorted()).toEqual(["killed.mp4", "killed.mp4.json"]);
  });
});
