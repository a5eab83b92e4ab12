import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { saveSmallModel, SMALL } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { EditModel } from "../../eve/model/edit-model.ts";
import { evaluateCombination, type CombinationScored } from "./combination.ts";

const root = temporaryFolder();
const options = { split: "validation", count: 1, seed: 0, steps: 1, type: "style" } as const;

test("pictures in a held-out style are edited by every method the model has, and judged by the truth in that style", async () => {
  const model = EditModel.load(saveSmallModel(join(root, "styled"), { looks: ["style"] }).path);
  const pictures: CombinationScored[] = [];
  const onPicture = (picture: CombinationScored): void => void pictures.push(picture);
  const found = await evaluateCombination(model, options, { onPicture });
  expect(Object.keys(found)).toEqual(["stacked", "edit-adapter"]);
  expect(found.stacked).toMatchObject({ clips: 5, flicker: null, steady: null });
  expect(Object.keys(found.stacked!.tasks).toSorted()).toEqual([
    "add",
    "background",
    "object",
    "remove",
    "texture",
  ]);
  const [first, second] = pictures;
  expect([first!.method, second!.method]).toEqual(["stacked", "edit-adapter"]);
  expect(first!.input).toEqual(second!.input);
  expect(first!.truth).not.toEqual(first!.input);
  expect(first!.output).not.toEqual(second!.output);
});

test("pictures are guided by the words as the model's own edits of their task are", async () => {
  const folder = saveSmallModel(join(root, "guided"), { looks: ["style"] });
  const outputs = async (): Promise<Map<string, Uint8Array>> => {
    const found = new Map<string, Uint8Array>();
    await evaluateCombination(EditModel.load(folder.path), options, {
      onPicture: ({ task, method, output }) => void found.set(`${method} ${task}`, output),
    });
    return found;
  };
  const plain = await outputs();
  const sampling = { times: [999], temperature: 1, textGuidance: { add: 3 } };
  writeFileSync(join(folder.path, "model.json"), JSON.stringify({ ...SMALL, sampling }));
  const guided = await outputs();
  const changed = [...plain.keys()].filter(
    (name) => !Buffer.from(plain.get(name)!).equals(guided.get(name)!),
  );
  expect(changed.toSorted()).toEqual(["edit-adapter add", "stacked add"]);
});

test("only the ways that are asked for are measured; one that the model lacks is told what makes it", async () => {
  const model = EditModel.load(saveSmallModel(join(root, "chosen"), { looks: ["style"] }).path);
  const found = await evaluateCombination(model, { ...options, methods: ["edit-adapter"] });
  expect(Object.keys(found)).toEqual(["edit-adapter"]);
  await expect(evaluateCombination(model, { ...options, methods: ["aligned"] })).rejects.toThrow(
    /has no alignment of its style adapter: make one with ".\/eve distill --combine style:line-art"/,
  );
});

test("a model without a style adapter is told what trains one", async () => {
  const model = EditModel.load(saveSmallModel(join(root, "plain")).path);
  await expect(evaluateCombination(model, options)).rejects.toThrow(
    /has no style adapter: train one with ".\/eve train style-adapter"/,
  );
});

test("a subject that the model has an adapter for is brought into pictures, and judged by its truth", async () => {
  const folder = saveSmallModel(join(root, "subject"), { looks: ["subject"] });
  const pictures: CombinationScored[] = [];
  const found = await evaluateCombination(
    EditModel.load(folder.path),
    { ...options, type: "subject" },
    { onPicture: (picture) => void pictures.push(picture) },
  );
  expect(Object.keys(found.stacked!.tasks).toSorted()).toEqual(["add", "object"]);
  expect(pictures.every(({ instruction }) => instruction.includes("owl"))).toBe(true);
  expect(pictures.every(({ input, truth }) => input.some((v, i) => v !== truth[i]))).toBe(true);
});
