import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { runArguments } from "../../src/cli/command.ts";
import { openFolderEditor } from "../../src/editing/open-editor.ts";
import { readReceipt } from "../../src/editing/report/receipt.ts";
import { Rng } from "../../src/engine/random.ts";
import type { OpenFolders } from "../../src/eve/open/open-folders.ts";
import type { LoadOpenOptions } from "../../src/hub/open-editor.ts";
import { saveLora } from "../../src/models/lora-files/save.ts";
import { openNetwork, UNET } from "../../src/models/public-folder/networks.ts";
import { Lora } from "../../src/nn/lora.ts";
import { makeClip } from "../support/clips.ts";
import {
  SMALL_OPEN_SIZE,
  SMALL_PIPELINE,
  writeSmallOpenFolders,
} from "../support/public-folders.ts";
import { disturbed } from "../support/small-model.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

// The commands as a user types them. The public weights are too large for a test: small ones stand in their place, and
// pictures are small.
vi.mock("../../src/hub/open-editor.ts", () => ({ loadOpenEditor: loadSmall }));

const root = temporaryFolder();
const file = (name: string): string => join(root, name);
const [one, other, third] = ["one.safetensors", "a=b.safetensors", "third.safetensors"].map(
  file,
) as [string, string, string];
let folders: OpenFolders;
let asked: LoadOpenOptions[] = [];

async function loadSmall(options: LoadOpenOptions) {
  asked.push(options);
  return openFolderEditor({ ...options, folders, size: SMALL_OPEN_SIZE });
}

beforeAll(async () => {
  await makeClip(file("in.mp4"), { width: 16, height: 16, ticks: [0, 512] });
  folders = writeSmallOpenFolders(root);
  const network = openNetwork(join(SMALL_PIPELINE, "unet"), UNET);
  for (const [index, path] of [one, other, third].entries()) {
    const lora = disturbed(new Lora(Rng.seed(index), network, { rank: 2 + index }));
    saveLora(path, { unet: { lora, network } });
  }
});

beforeEach(() => {
  asked = [];
  vi.spyOn(process.stdout, "write").mockReturnValue(true); // reports
});
afterEach(() => {
  vi.restoreAllMocks();
});

const eve = (...args: string[]): Promise<unknown> =>
  runArguments(args, { signal: new AbortController().signal });

const edit = (...args: string[]): Promise<unknown> =>
  eve("edit", file("in.mp4"), "make it snow", "--device", "cpu", "--steps", "1", ...args);

const noted = async (output: string) => {
  const { model } = await readReceipt(`${file(output)}.json`);
  return { ...model, lora: Array.isArray(model.lora) ? new Set(model.lora) : model.lora };
};

describe("eve edit with several LoRAs", () => {
  const both = ["--lora", `${one}=0.7`, "--lora", other];

  test("notes all of them, each at its strength, and a receipt repeats them", async () => {
    await edit("--model", "open", ...both, "--lora-strength", "0.5", "-o", file("a.mp4"));
    const first = await noted("a.mp4");
    const loras = [
      { path: one, strength: 0.7 },
      { path: other, strength: 0.5 },
    ];
    expect(first.lora).toEqual(new Set(loras));
    const receipt = ["--receipt", file("a.mp4.json"), "--device", "cpu"];
    await eve("edit", ...receipt, "-o", file("again.mp4"));
    expect(await noted("again.mp4")).toEqual(first);
    await eve("edit", ...receipt, "--lora-strength", "1.5", "-o", file("strong.mp4"));
    const strong = loras.map(({ path }) => ({ path, strength: 1.5 }));
    expect((await noted("strong.mp4")).lora).toEqual(new Set(strong));
    await eve("edit", ...receipt, "--lora", third, "-o", file("other.mp4"));
    expect(await noted("other.mp4")).toMatchObject({ lora: third, loraStrength: 1 });
  });

  test("loads all of them for --preview and --dry-run", async () => {
    await edit("--model", "open", ...both, "--preview", "-o", file("p.png"));
    await edit("--model", "open", ...both, "--dry-run", "-o", file("dry.mp4"));
    const loras = [{ path: one, strength: 0.7 }, { path: other }];
    expect(asked.map(({ lora }) => lora)).toEqual([loras, loras]);
  });

  test("refuses a strength that is none", async () => {
    const wrong = edit("--model", "open", "--lora", `${one}=3`, "-o", file("x.mp4"));
    await expect(wrong).rejects.toThrow(/^--lora .*one\.safetensors: expected a number.*got "3"$/);
    const alone = edit(...both, "-o", file("x.mp4"));
    await expect(alone).rejects.toThrow(/^--lora goes with --model open/);
    expect(asked).toEqual([]);
  });
});

test("eve batch takes several LoRAs for all of its lines", async () => {
  const line = { input: file("in.mp4"), instruction: "make it snow", output: "b.mp4", steps: 1 };
  writeFileSync(file("edits.jsonl"), `${JSON.stringify(line)}\n`);
  const loras = ["--lora", `${one}=0.7`, "--lora", other, "--lora-strength", "0.5"];
  const where = ["--out", file("results"), "--model", "open", "--device", "cpu"];
  await eve("batch", file("edits.jsonl"), ...where, ...loras);
  expect((await noted("results/b.mp4")).lora).toEqual(
    new Set([
      { path: one, strength: 0.7 },
      { path: other, strength: 0.5 },
    ]),
  );
});
