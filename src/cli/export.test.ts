import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { UserError } from "../engine/errors.ts";
import { loadBackbone } from "../eve/parts.ts";
import { loadLora } from "../models/lora-files/load.ts";
import { saveSmallModel } from "../../test/support/small-model.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { runArguments } from "./command.ts";

const root = temporaryFolder();
const folder = saveSmallModel(join(root, "model"), { alignment: "trained" });
const context = { signal: new AbortController().signal };

function run(...args: string[]): Promise<string | undefined> {
  return runArguments(["export", ...args, "--model", folder.path, "--json"], context);
}

test("an alignment becomes a LoRA file, in a folder that need not exist yet", async () => {
  const out = join(root, "new", "alignment.safetensors");
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  await run("alignment", "--format", "peft", "--out", out);
  const [[line]] = written.mock.calls as [[string]];
  written.mockRestore();
  const { unet } = loadLora(out, { unet: loadBackbone(folder) });
  expect(JSON.parse(line)).toEqual({
    type: "lora-exported",
    part: "alignment",
    model: folder.path,
    path: out,
    layers: unet!.size,
  });
});

test.each([
  [
    ["backbone", "--format", "peft", "--out", "x.safetensors"],
    /a part that is a LoRA \(alignment, /,
  ],
  [["alignment", "--format", "peft"], /expected --out <file\.safetensors> .*, got none/],
  [["alignment", "--format", "peft", "--out", "lora.bin"], /got lora\.bin/],
  [["backbone", "--out", "x.safetensors"], /--out is the file of --format peft/],
  [["style-adapter", "--format", "peft", "--out", "x.safetensors"], /has no style-adapter/],
  [["alignment", "--format", "onnx", "--out", "x.safetensors"], /--format.*part, peft/],
])("refuses %j", async (args, sentence) => {
  await expect(run(...args)).rejects.toThrow(UserError);
  await expect(run(...args)).rejects.toThrow(sentence);
  expect(existsSync("x.safetensors")).toBe(false);
});
