import { join } from "node:path";
import { expect, test } from "vitest";
import { largestDifference } from "../../../test/support/difference.ts";
import { SMALL, saveSmallModel } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { createSchedule } from "../../diffusion/schedule.ts";
import { DataError, UserError } from "../../engine/errors.ts";
import { Rng, normal } from "../../engine/random.ts";
import { Tensor } from "../../engine/tensor.ts";
import { readLoraContents } from "../../models/lora-files/contents.ts";
import { loadLora } from "../../models/lora-files/load.ts";
import { EditStrengths } from "../adapters/edit-strength.ts";
import { AlignmentPart } from "../stack/alignment-config.ts";
import { alignmentParameters, strengthKind } from "../stack/alignment-weights.ts";
import { createAlignment, learnedStrengths } from "../stack/student.ts";
import { exportLora, videoStrengthOf } from "./lora-export.ts";
import { ORIGIN_KEY, strengthsIn } from "./lora-origin.ts";
import { loadBackbone, loadEditAdapter, loadLook, loadStudent, loadVideoAdapter } from "./parts.ts";

const root = temporaryFolder();
const folder = saveSmallModel(join(root, "model"), {
  alignment: "trained",
  looks: ["style", "subject"],
});
const unet = loadBackbone(folder);
const [x, t] = [normal(Rng.seed(1), [1, 4, 8, 8]), Tensor.from([400], [1])];
const text = normal(Rng.seed(2), [1, 3, 16]);
const ALIGNMENT = { rank: 2, alpha: null, layers: "transformer" } as const;

test("an alignment is written as a public file that gives the backbone the same answer, bit for bit", () => {
  const path = join(root, "alignment.safetensors");
  exportLora(folder, "alignment", path);
  const own = createAlignment(Rng.seed(0), unet, ALIGNMENT);
  folder.loadWeights("alignment", own);
  const { unet: read } = loadLora(path, { unet });
  const expected = unet.forward(x, t, text, { lora: own.on(unet) });
  const answer = unet.forward(x, t, text, { lora: read!.on(unet) });
  expect(largestDifference(answer, expected)).toBe(0);
  expect(largestDifference(answer, unet.forward(x, t, text))).toBeGreaterThan(1e-4);
});

test("the file tells where it comes from, and names no path", () => {
  const path = join(root, "told.safetensors");
  folder.savePart("alignment", {
    config: { ...folder.config("alignment", AlignmentPart), videoStrength: 0.25 },
    weights: createAlignment(Rng.seed(0), unet, ALIGNMENT).parameters(),
    receipt: { stage: "distillation", steps: 7, config: { stage: { model: root } }, machine: {} },
  });
  exportLora(folder, "alignment", path);
  const { [ORIGIN_KEY]: origin = "" } = readLoraContents(path).metadata;
  expect(JSON.parse(origin)).toEqual({
    program: "open-eve",
    part: "alignment",
    model: "small",
    backbone: folder.hash(["backbone"]),
    training: { stage: "distillation", steps: 7 },
    videoStrength: 0.25,
  });
  expect(videoStrengthOf(path)).toBe(0.25);
});

test("learned strengths stand in the file's origin, and in the student of the folder", () => {
  const path = join(root, "learned.safetensors");
  const model = saveSmallModel(join(root, "learned"), { alignment: "fresh" });
  const own = loadBackbone(model);
  const networks = { unet: own, videoAdapter: loadVideoAdapter(model, own).layers };
  const config = model.config("alignment", AlignmentPart);
  const lora = createAlignment(Rng.seed(0), own, ALIGNMENT);
  const strengths = learnedStrengths(networks, 0.25);
  model.savePart("alignment", {
    config: { ...config, videoStrength: "learned" },
    weights: alignmentParameters(lora, { videoStrength: strengths }),
  });
  exportLora(model, "alignment", path);
  expect(videoStrengthOf(path)).toEqual(strengths.values());
  const { unet: read } = loadLora(path, { unet: own });
  expect(read!.size).toBe(lora.size);
  const { trainable } = loadStudent(model, {
    ...networks,
    editAdapter: loadEditAdapter(model, own),
    schedule: createSchedule(SMALL.schedule),
    kind: "v",
  });
  const heard = [...trainable].filter(([name]) => strengthKind(name));
  expect(heard.map(([, value]) => value.item())).toEqual(heard.map(() => 0.25));
});

test("what a combination has learned of its edit adapter stands in the origin, and nothing of a video adapter", () => {
  const path = join(root, "styled.safetensors");
  const model = saveSmallModel(join(root, "styled"), { alignment: "fresh", looks: ["style"] });
  const own = loadBackbone(model);
  const lora = createAlignment(Rng.seed(0), own, ALIGNMENT);
  const editStrength = EditStrengths.alike(loadEditAdapter(model, own), 0.5);
  model.savePart("style-alignment", {
    config: { student: "aligned", ...ALIGNMENT, editStrength: "learned", teachers: "" },
    weights: alignmentParameters(lora, { editStrength }),
  });
  exportLora(model, "style-alignment", path);
  expect(strengthsIn(readLoraContents(path).metadata)).toEqual({
    videoStrength: undefined,
    editStrength: editStrength.values(),
  });
});

test.each(["style-adapter", "subject-adapter"] as const)("a %s is written, too", (part) => {
  const path = join(root, `${part}.safetensors`);
  exportLora(folder, part, path);
  expect(videoStrengthOf(path)).toBe(1);
  const { look } = loadLook(folder, unet, part);
  const { unet: read } = loadLora(path, { unet });
  const written = look.parameters();
  expect([...read!.parameters().keys()].toSorted()).toEqual([...written.keys()].toSorted());
  for (const [name, weight] of read!.parameters())
    expect(largestDifference(weight, written.get(name)!), name).toBe(0);
});

test("what is no LoRA, and what is not there, is refused", () => {
  const other = saveSmallModel(join(root, "other"));
  const path = join(root, "never.safetensors");
  expect(() => exportLora(other, "alignment", path)).toThrow(UserError);
  const config: AlignmentPart = { student: "unpretrained", teachers: "" };
  other.savePart("alignment", { config, weights: new Map() });
  expect(() => exportLora(other, "alignment", path)).toThrow(
    /expected the alignment in .* to be a LoRA/,
  );
  expect(() => readLoraContents(path)).toThrow(DataError);
});
