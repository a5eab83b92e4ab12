import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { runArguments } from "../../src/cli/command.ts";
import { openFolderEditor } from "../../src/editing/open-editor.ts";
import type { EditResult } from "../../src/editing/report/events.ts";
import { UserError } from "../../src/engine/errors.ts";
import { loadOpenEditor } from "../../src/hub/open-editor.ts";
import { Rng } from "../../src/engine/random.ts";
import { saveSafetensors } from "../../src/engine/safetensors.ts";
import type { OpenFolders } from "../../src/eve/open/open-folders.ts";
import { openParts } from "../../src/eve/open/open-parts.ts";
import { AlignmentConfig } from "../../src/eve/stack/alignment-config.ts";
import { alignmentParameters } from "../../src/eve/stack/alignment-weights.ts";
import { createAlignment, learnedStrengths } from "../../src/eve/stack/student.ts";
import { writeLora } from "../../src/eve/model/lora-export.ts";
import { saveLora } from "../../src/models/lora-files/save.ts";
import { UNET, openNetwork } from "../../src/models/public-folder/networks.ts";
import type { DistillationSettings } from "../../src/training/stages/distillation-settings.ts";
import { makeClip, framesOf } from "../support/clips.ts";
import {
  SMALL_OPEN_SIZE,
  SMALL_PIPELINE,
  writeSmallOpenFolders,
} from "../support/public-folders.ts";
import { disturbed } from "../support/small-model.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const root = temporaryFolder();
const file = (name: string): string => join(root, name);
const alignment = AlignmentConfig.parse({ rank: 2 });
let folders: OpenFolders;

beforeAll(async () => {
  await makeClip(file("in.mp4"), { width: 16, height: 16, ticks: [0, 512, 1024, 1536, 2048] });
  folders = writeSmallOpenFolders(root);
  const network = openNetwork(join(SMALL_PIPELINE, "unet"), UNET);
  const lora = createAlignment(Rng.seed(3), network, alignment);
  writeLora(file("fresh.safetensors"), { lora, network }, { part: "alignment", model: "open" });
  saveRun("fresh-run", lora.parameters());
  saveRun("quiet-run", lora.parameters(), { videoStrength: 0 });
  const { networks } = openParts(folders);
  const strengths = learnedStrengths(networks, 0);
  saveRun("deaf-run", alignmentParameters(lora, { videoStrength: strengths }), {
    strengthRate: 100,
  });
  const loud = learnedStrengths(networks, 1);
  saveRun("loud-run", alignmentParameters(lora, { videoStrength: loud }), { strengthRate: 100 });
  disturbed(lora);
  writeLora(file("trained.safetensors"), { lora, network }, { part: "alignment", model: "open" });
  saveLora(file("look.safetensors"), { unet: { lora, network } });
  saveRun("trained-run", lora.parameters());
});

/** What a stopped run of the distillation leaves behind, as far as an editor reads it. */
function saveRun(
  name: string,
  weights: Parameters<typeof saveSafetensors>[1],
  settings: Partial<DistillationSettings> = {},
): void {
  const checkpoint = join(file(name), "checkpoints", "checkpoint-000005");
  mkdirSync(checkpoint, { recursive: true });
  const config = {
    stage: "distillation",
    config: { stage: { model: "open", alignment, ...settings } },
  };
  writeFileSync(join(file(name), "config.json"), JSON.stringify(config));
  writeFileSync(join(file(name), "checkpoints", "latest"), "checkpoint-000005\n");
  saveSafetensors(join(checkpoint, "ema.safetensors"), weights);
}

async function edited(
  output: string,
  lora?: string,
  loraStrength?: number,
): Promise<EditResult & { readonly rgb: readonly Uint8Array[] }> {
  const size = SMALL_OPEN_SIZE;
  await using editor = await openFolderEditor({
    folders,
    lora,
    loraStrength,
    device: "cpu",
    size,
  });
  const common = { overwrite: true, steps: 2, window: 4, detail: "off" } as const;
  const options = { ...common, output: file(output) };
  const result = await editor.edit(file("in.mp4"), "make it autumn", options).result;
  const rgb = (await framesOf(file(output))).map((frame) => frame.rgb);
  return { ...result, rgb };
}

describe("the open model's editor", () => {
  test("edits a clip with its own steps and guidance, in windows, and says what it used", async () => {
    const size = SMALL_OPEN_SIZE;
    await using editor = await openFolderEditor({ folders, device: "cpu", size });
    expect(editor.model.window).toBe(8);
    const { frames, receipt } = await editor.edit(file("in.mp4"), "make it autumn", {
      output: file("plain.mp4"),
    }).result;
    expect(frames).toBe(5);
    expect(receipt.settings).toMatchObject({
      steps: 20,
      guidance: { text: 7.5, image: 1 },
      method: "stacked",
    });
    expect(receipt.model).toMatchObject({ name: "open", path: "open" });
  });

  test.each([
    ["a file", "fresh.safetensors", "trained.safetensors"],
    ["a run", "fresh-run", "trained-run/last"],
  ])(
    "with the LoRA of %s that was never trained draws the same, and with a trained one does not",
    async (_, fresh, trained) => {
      const plain = await edited("stacked.mp4");
      const same = await edited("same.mp4", file(fresh));
      const other = await edited("other.mp4", file(trained));
      expect(same.settings.method).toBe("aligned");
      expect(same.receipt.model.lora).toBe(file(fresh));
      expect(same.rgb).toEqual(plain.rgb);
      expect(other.rgb).not.toEqual(plain.rgb);
      const hashes = [plain, same, other].map(({ receipt }) => receipt.model.hash);
      expect(new Set(hashes).size).toBe(3);
    },
  );

  test("hears the video adapter as strongly as the student of a run did", async () => {
    const plain = await edited("loud.mp4", file("fresh-run"));
    const quiet = await edited("quiet.mp4", file("quiet-run"));
    expect(quiet.rgb).not.toEqual(plain.rgb);
    const deaf = await edited("deaf.mp4", file("deaf-run"));
    const loud = await edited("learned.mp4", file("loud-run"));
    expect(deaf.rgb).toEqual(quiet.rgb);
    expect(loud.rgb).toEqual(plain.rgb);
  });

  test("gives the look of a LoRA that no distillation has trained to every frame, the first among them", async () => {
    const frame = async (lora?: string): Promise<Uint8Array> => {
      await using editor = await openFolderEditor({
        folders,
        lora,
        device: "cpu",
        size: SMALL_OPEN_SIZE,
      });
      return (await editor.preview(file("in.mp4"), "make it autumn", { steps: 2 })).rgb;
    };
    const plain = await frame();
    expect(await frame(file("trained.safetensors"))).toEqual(plain);
    expect(await frame(file("look.safetensors"))).not.toEqual(plain);
    const clip = await edited("look.mp4", file("look.safetensors"));
    expect(clip.settings.method).toBe("stacked");
    expect(clip.receipt.model.lora).toBe(file("look.safetensors"));
    expect(clip.rgb[0]).not.toEqual((await edited("no-look.mp4")).rgb[0]);
  });

  test("gives a look as strongly as it is asked to, and an alignment as it was trained", async () => {
    const look = file("look.safetensors");
    const plain = await edited("none.mp4");
    const [none, half, whole] = [
      await edited("at-0.mp4", look, 0),
      await edited("at-half.mp4", look, 0.5),
      await edited("at-1.mp4", look, 1),
    ];
    expect(none.rgb).toEqual(plain.rgb);
    expect(whole.rgb).toEqual((await edited("at-default.mp4", look)).rgb);
    expect(half.rgb).not.toEqual(whole.rgb);
    expect(half.receipt.model.loraStrength).toBe(0.5);
    expect(half.receipt.model.hash).not.toBe(whole.receipt.model.hash);
    const refused = edited("refused.mp4", file("trained-run"), 0.5);
    await expect(refused).rejects.toThrow(/^loraStrength: .*trained-run aligns the adapters/);
    await expect(edited("refused.mp4", look, 3)).rejects.toThrow(/from 0 to 2, got 3$/);
    await expect(edited("refused.mp4", undefined, 1)).rejects.toThrow(/expected a lora/);
  });

  test("takes a run by the file of its weights, too", async () => {
    const weights = file("trained-run/checkpoints/checkpoint-000005/ema.safetensors");
    const [byFile, byRun] = [
      await edited("by-file.mp4", weights),
      await edited("by-run.mp4", file("trained-run")),
    ];
    expect(byFile.settings.method).toBe("aligned");
    expect(byFile.rgb).toEqual(byRun.rgb);
  });

  test("refuses options that cannot be used before its weights are looked for", async () => {
    for (const [options, message] of [
      [{ lroa: "x" }, /^lroa: no such option, expected one of .*lora/],
      [{ loraStrength: "0.5" }, /^loraStrength: expected a number from 0 to 2, got "0\.5"$/],
      [{ folders: 3 }, /^folders: expected an object of folders, got 3$/],
      [{ model: "open" }, /^model: no such option/],
    ] as const) {
      const wrong: object = options;
      await expect(loadOpenEditor(wrong)).rejects.toThrow(message);
    }
  });

  test("refuses a LoRA that is not there before it loads anything", async () => {
    const missing = openFolderEditor({ folders, lora: file("nothing"), device: "cpu" });
    await expect(missing).rejects.toThrow(UserError);
    await expect(missing).rejects.toThrow(/^lora: expected the directory of a run .* neither at/);
  });

  test("refuses a run that has no weights yet", async () => {
    mkdirSync(file("young/checkpoints"), { recursive: true });
    writeFileSync(file("young/config.json"), "{}");
    const young = openFolderEditor({ folders, lora: file("young"), device: "cpu" });
    await expect(young).rejects.toThrow(/it has no checkpoint yet: let it train on$/);
  });
});

describe("eve edit --model open", () => {
  const eve = (...args: string[]): Promise<unknown> =>
    runArguments(args, { signal: new AbortController().signal });

  test("says which command fetches weights that are not there", async () => {
    vi.stubEnv("HF_HUB_CACHE", file("no-cache"));
    const edit = eve("edit", file("in.mp4"), "make it red", "--model", "open", "-o", file("x.mp4"));
    await expect(edit).rejects.toThrow(UserError);
    await expect(edit).rejects.toThrow(
      /stable-diffusion-v1-5 is not in .*: run \.\/eve pull open --only edit$/,
    );
    vi.unstubAllEnvs();
  });

  test("alone takes a LoRA", async () => {
    const edit = eve("edit", file("in.mp4"), "make it red", "--lora", "x", "-o", file("x.mp4"));
    await expect(edit).rejects.toThrow(/--lora goes with --model open/);
  });
});
