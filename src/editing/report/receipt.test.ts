import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import type { LoraChoice } from "../settings/model.ts";
import { resolveSettings, readSettings } from "../settings/settings.ts";
import { lorasNoted, notedLoras, readReceipt, type Receipt } from "./receipt.ts";

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
