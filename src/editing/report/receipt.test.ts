import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { LoraChoice } from "../settings/model.ts";
import { resolveSettings, readSettings } from "../settings/settings.ts";
import {
  fileHash,
  lorasNoted,
  notedLoras,
  readReceipt,
  receiptComment,
  receiptPath,
  type Receipt,
} from "./receipt.ts";

const path = join(temporaryFolder(), "edit.mp4.json");
const model = { name: "open", path: "open", hash: "abc" };
const receipt = {
  program: "open-eve",
  versions: {},
  input: { path: "clip.mp4", sha256: "def" },
  settings: resolveSettings(readSettings({ instruction: "make it snow" }), {
    ...model,
    window: 8,
    hasVideoAdapter: true,
    hasAlignment: false,
  }),
  output: { path: "edit.mp4", frames: 6 },
  seconds: 3,
};

async function readBack(fields: object): Promise<Receipt["model"]> {
  writeFileSync(path, JSON.stringify({ ...receipt, model: { ...model, ...fields } }));
  return (await readReceipt(path)).model;
}

describe("the LoRAs of a receipt", () => {
  test.each<[string, readonly LoraChoice[]]>([
    ["none", []],
    ["a look", [{ path: "look.safetensors", strength: 0.7 }]],
    ["an alignment", [{ path: "runs/open/last" }]],
    ["several", [{ path: "look.safetensors", strength: 0.7 }, { path: "runs/open/last" }]],
  ])("are read as they were written: %s", async (_, loras) => {
    expect(lorasNoted(await readBack(notedLoras(loras)))).toEqual(loras);
  });

  test("are read where there could be but one", async () => {
    const noted = { lora: "look.safetensors", loraStrength: 0.7 };
    expect(lorasNoted(await readBack(noted))).toEqual([
      { path: "look.safetensors", strength: 0.7 },
    ]);
    expect(notedLoras([{ path: "look.safetensors", strength: 0.7 }])).toEqual(noted);
  });

  test("are refused where they say no paths", async () => {
    await expect(readBack({ lora: [{ strength: 1 }] })).rejects.toThrow(/expected a receipt/);
  });
});

test("what a video's own metadata tell of an edit names files, and no folder of anybody", () => {
  const home = "/home/somebody/secret project";
  const comment = receiptComment({
    ...receipt,
    program: "open-eve",
    input: { path: join(home, "clip.mp4"), sha256: "def" },
    model: { name: "open", path: join(home, "model"), hash: "abc", lora: join(home, "look") },
    settings: { ...receipt.settings, mask: join(home, "masks", "hat.png") },
    mask: { sha256: "123" },
  });
  expect(comment).not.toContain("somebody");
  expect(comment).not.toContain("secret");
  expect(JSON.parse(comment)).toMatchObject({
    input: { name: "clip.mp4", sha256: "def" },
    model: { name: "open", hash: "abc" },
    settings: { instruction: "make it snow", mask: "hat.png" },
    mask: { sha256: "123" },
  });
});

test("a receipt lies beside what it is of, a folder with or without its slash", () => {
  expect(receiptPath("out/edit.mp4")).toBe("out/edit.mp4.json");
  expect(receiptPath("out/frames")).toBe("out/frames.json");
  expect(receiptPath("out/frames/")).toBe("out/frames.json");
});

test("the hash of a folder of pictures is of what is in them, in their order", async () => {
  const hashOf = async (name: string, ...contents: readonly string[]): Promise<string> => {
    const folder = join(temporaryFolder(), name);
    mkdirSync(folder);
    for (const [index, content] of contents.entries())
      writeFileSync(join(folder, `${index}.png`), content);
    return await fileHash(folder);
  };
  const first = await hashOf("one", "a", "b");
  expect(await hashOf("two", "a", "b")).toBe(first);
  expect(await hashOf("one", "b", "a")).not.toBe(first);
  expect(await hashOf("one", "a", "c")).not.toBe(first);
  expect(await hashOf("one", "a")).not.toBe(first);
});
