import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { saveSmallModel } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { noGrad } from "../../engine/autodiff.ts";
import { UserError } from "../../engine/errors.ts";
import { normal, Rng } from "../../engine/random.ts";
import { saveSafetensors } from "../../engine/safetensors.ts";
import { EditStrengths } from "../../eve/adapters/edit-strength.ts";
import { ORIGIN_KEY } from "../../eve/model/lora-origin.ts";
import { loadBackbone } from "../../eve/model/parts.ts";
import { alignmentParameters } from "../../eve/stack/alignment-weights.ts";
import { createAlignment } from "../../eve/stack/student.ts";
import { readLoraContents } from "../../models/lora-files/contents.ts";
import { loadLora } from "../../models/lora-files/load.ts";
import type { Parameters } from "../../nn/module.ts";
import { runArguments } from "../command.ts";

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

/** A run of the distillation with random weights: its directory, and what it has trained. */
function distilledRun(name: string, settings: Record<string, unknown>): [string, Parameters] {
  const directory = join(root, name);
  mkdirSync(join(directory, "weights"), { recursive: true });
  const alignment = { rank: 2, layers: "attention" } as const;
  const config = { stage: { model: folder.path, alignment, ...settings } };
  writeFileSync(join(directory, "config.json"), JSON.stringify({ stage: "distillation", config }));
  const unet = loadBackbone(folder);
  const lora = createAlignment(Rng.seed(1), unet, { ...alignment, alpha: null });
  for (const [layer, weight] of lora.parameters())
    noGrad(() => weight.copyFrom(normal(Rng.seed(2).split(layer), weight.shape)));
  const strengths = settings["combine"] === undefined ? undefined : new EditStrengths(STRENGTHS);
  const trained = alignmentParameters(lora, { ...(strengths && { editStrength: strengths }) });
  saveSafetensors(join(directory, "weights", "distillation.safetensors"), trained);
  return [directory, lora.parameters()];
}

const STRENGTHS = { states: 0.75, output: 1.5 };

async function exportedRun(directory: string, out: string): Promise<void> {
  const written = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  await run("distillation", "--run", directory, "--format", "peft", "--out", out);
  written.mockRestore();
}

test("so does a run of the distillation, which may go on", async () => {
  const [directory, trained] = distilledRun("run", {});
  const out = join(root, "run.safetensors");
  await exportedRun(directory, out);
  const found = loadLora(out, { unet: loadBackbone(folder) }).unet!.parameters();
  expect(new Set(found.keys())).toEqual(new Set(trained.keys()));
  for (const [name, weight] of trained)
    expect(largestDifference(found.get(name)!.to("float32"), weight)).toBeLessThan(0.002);
  const { metadata } = readLoraContents(out);
  expect(JSON.parse(metadata[ORIGIN_KEY]!)).toMatchObject({ part: "alignment", videoStrength: 1 });
});

test("one with a look tells which, and how strongly the edit adapter is to be heard", async () => {
  const [directory] = distilledRun("styled", { combine: "style:line-art" });
  const out = join(root, "styled.safetensors");
  await exportedRun(directory, out);
  const { metadata } = readLoraContents(out);
  const origin: unknown = JSON.parse(metadata[ORIGIN_KEY]!);
  expect(origin).toMatchObject({ part: "style-alignment", editStrength: STRENGTHS });
  expect(origin).not.toHaveProperty("videoStrength");
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
  [
    ["alignment", "--format", "peft", "--run", "runs/x", "--out", "x.safetensors"],
    /the stage distillation .*, got "alignment"/,
  ],
  [
    ["distillation", "--format", "peft", "--run", "nowhere", "--out", "x.safetensors"],
    /a run of "\.\/eve distill", found none at nowhere/,
  ],
  [["alignment", "--format", "onnx", "--out", "x.safetensors"], /--format.*part, peft/],
])("refuses %j", async (args, sentence) => {
  await expect(run(...args)).rejects.toThrow(UserError);
  await expect(run(...args)).rejects.toThrow(sentence);
  expect(existsSync("x.safetensors")).toBe(false);
});
