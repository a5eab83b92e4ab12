import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { runArguments } from "../../src/cli/command.ts";
import { openFolderEditor } from "../../src/editing/open-editor.ts";
import { MemoryError } from "../../src/editing/report/memory-error.ts";
import type { EditResult } from "../../src/editing/report/events.ts";
import { UserError } from "../../src/engine/errors.ts";
import { loadOpenEditor, type LoadOpenOptions } from "../../src/hub/open-editor.ts";
import { Rng } from "../../src/engine/random.ts";
import { loadSafetensors, saveSafetensors } from "../../src/engine/safetensors.ts";
import { openWeightBytes, type OpenFolders } from "../../src/eve/open/open-folders.ts";
import { openParts } from "../../src/eve/open/open-parts.ts";
import { AlignmentConfig } from "../../src/eve/stack/alignment-config.ts";
import { alignmentParameters } from "../../src/eve/stack/alignment-weights.ts";
import { createAlignment, learnedStrengths } from "../../src/eve/stack/student.ts";
import { writeLora } from "../../src/eve/model/lora-export.ts";
import { saveLora } from "../../src/models/lora-files/save.ts";
import { TEXT_ENCODER, UNET, openNetwork } from "../../src/models/public-folder/networks.ts";
import { Lora } from "../../src/nn/lora.ts";
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
  const textEncoder = openNetwork(join(SMALL_PIPELINE, "text_encoder"), TEXT_ENCODER);
  const ofText = disturbed(new Lora(Rng.seed(5), textEncoder, { rank: 3, alpha: 1 }));
  const wide = disturbed(new Lora(Rng.seed(6), network, { rank: 4, alpha: 2 }), 0.2);
  saveLora(file("second=2.safetensors"), {
    unet: { lora: wide, network },
    textEncoder: { lora: ofText, network: textEncoder },
  });
  saveRun("trained-run", lora.parameters());
  saveRun("other-alpha-run", lora.parameters(), { alignment: { ...alignment, alpha: 7 } });
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

/** The look as PEFT writes it: a folder, whose alpha stands beside the weights. */
function peftFolder(name: string, alpha: number, others: object = {}): string {
  const weights = [...loadSafetensors(file("look.safetensors"))].map(
    ([key, weight]) => [key.replace(/^unet/, "base_model.model"), weight] as const,
  );
  mkdirSync(file(name), { recursive: true });
  saveSafetensors(join(file(name), "adapter_model.safetensors"), new Map(weights));
  const config = JSON.stringify({ lora_alpha: alpha, ...others });
  writeFileSync(join(file(name), "adapter_config.json"), config);
  return file(name);
}

async function edited(
  output: string,
  lora?: LoadOpenOptions["lora"],
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

  test("adds several LoRAs up, whatever their order, and says all of them", async () => {
    const [look, second, run] = ["look.safetensors", "second=2.safetensors", "trained-run"].map(
      file,
    );
    const half = { path: look!, strength: 0.5 };
    const one = await edited("one.mp4", [half]);
    const two = await edited("two.mp4", [half, second!], 0.8);
    const same = await edited("two-swapped.mp4", [{ path: second!, strength: 0.8 }, half]);
    const all = await edited("three.mp4", [run!, half, second!], 0.8);
    expect(one.rgb).toEqual((await edited("alone.mp4", look, 0.5)).rgb);
    expect(one.receipt.model).toMatchObject({ lora: look, loraStrength: 0.5 });
    expect(same.rgb).toEqual(two.rgb);
    expect(same.receipt.model).toEqual(two.receipt.model);
    expect(two.settings.method).toBe("stacked");
    expect(all.settings.method).toBe("aligned");
    const looks = [half, { path: second, strength: 0.8 }];
    expect(two.receipt.model.lora).toHaveLength(2);
    expect(two.receipt.model.lora).toEqual(expect.arrayContaining(looks));
    expect(all.receipt.model.lora).toHaveLength(3);
    expect(all.receipt.model.lora).toEqual(expect.arrayContaining([...looks, { path: run }]));
    for (const [result, other] of [
      [one, two],
      [two, all],
    ] as const) {
      expect(result.rgb).not.toEqual(other.rgb);
      expect(result.receipt.model.hash).not.toBe(other.receipt.model.hash);
    }
  });

  test("tells LoRAs apart whose weights are the same, and their alphas are not", async () => {
    const hashOf = async (...lora: string[]): Promise<string> => {
      const place = { folders, device: "cpu", size: SMALL_OPEN_SIZE } as const;
      await using editor = await openFolderEditor({ ...place, lora });
      return editor.model.hash;
    };
    const [weak, strong] = [peftFolder("weak", 1), peftFolder("strong", 4)];
    expect(await hashOf(weak)).not.toBe(await hashOf(strong));
    expect(await hashOf(weak)).toBe(await hashOf(peftFolder("weak-copy", 1, { revision: "a" })));
    expect(await hashOf(weak, strong)).toBe(await hashOf(strong, weak));
    await expect(hashOf(weak, file("weak-copy"))).rejects.toThrow(/ are the same file: /);
    expect(await hashOf(file("other-alpha-run"))).not.toBe(await hashOf(file("trained-run")));
  });

  test("refuses LoRAs that do not go together, before it loads anything", async () => {
    const look = file("look.safetensors");
    const run = file("trained-run");
    const copy = file("copy.safetensors");
    copyFileSync(look, copy);
    const strong = { path: look, strength: 1 };
    for (const [lora, loraStrength, message] of [
      [[look, look], undefined, /^lora: .*look\.safetensors is given twice: give it once, /],
      [[look, copy], undefined, /^lora: .* and .* are the same file: give one of them, /],
      [
        [run, look, file("fresh-run")],
        undefined,
        /^lora: .*trained-run and .*fresh-run both align/,
      ],
      [
        [{ path: run, strength: 1 }, look],
        undefined,
        /^lora: .*trained-run .*give it no strength$/,
      ],
      [[strong, run], 0.5, /^loraStrength: every look has a strength of its own/],
      [[run], 0.5, /^loraStrength: .*trained-run aligns the adapters/],
      [[], 0.5, /^loraStrength: expected a lora that it is for$/],
      [[strong, file("nothing")], undefined, /^lora: expected the directory .* neither at/],
    ] as const) {
      const nowhere = { ...folders, pipeline: file("nowhere") };
      const refused = openFolderEditor({ folders: nowhere, lora, loraStrength, device: "cpu" });
      await expect(refused).rejects.toThrow(UserError);
      await expect(refused).rejects.toThrow(message);
    }
  });

  test("counts LoRAs among the weights that there must be memory for", async () => {
    const free = vi.spyOn(process, "availableMemory").mockReturnValue(openWeightBytes(folders));
    const load = (lora: readonly string[]) =>
      openFolderEditor({ folders, lora, device: "cpu", size: SMALL_OPEN_SIZE });
    await using editor = await load([]);
    expect(editor.model.loras).toEqual([]);
    const refused = load([file("look.safetensors"), file("trained-run")]);
    await expect(refused).rejects.toThrow(MemoryError);
    await expect(refused).rejects.toThrow(/^the weights of the open model and its LoRAs take /);
    free.mockRestore();
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
      [{ lora: 3 }, /^lora: expected the path of a run or a LoRA file, or a list of such, got 3$/],
      [{ lora: ["x", 3] }, /^lora\.1: expected a path, or an object such as .*, got 3$/],
      [{ lora: ["x", ""] }, /^lora\.1\.path: expected the path of a run or a LoRA file, got ""$/],
      [{ lora: [{ path: "x", strength: 3 }] }, /^lora\.0\.strength: .* from 0 to 2, got 3$/],
      [{ lora: [{ path: "x", strenght: 1 }] }, /^lora\.0: expected a path, or an object/],
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
