import { join } from "node:path";
import { expect, test } from "vitest";
import { saveSmallModel } from "../../test/support/small-model.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { EditModel } from "../eve/edit-model.ts";
import { evaluateStyled, type StyledScored } from "./style-combination.ts";

const root = temporaryFolder();
const options = { split: "validation", count: 1, seed: 0, steps: 1 } as const;

test("pictures in a held-out style are edited by every method the model has, and judged by the truth in that style", async () => {
  const model = EditModel.load(saveSmallModel(join(root, "styled"), { hasStyle: true }).path);
  const pictures: StyledScored[] = [];
  const onPicture = (picture: StyledScored): void => void pictures.push(picture);
  const found = await evaluateStyled(model, options, { onPicture });
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

test("a model without a style adapter is told what trains one", async () => {
  const model = EditModel.load(saveSmallModel(join(root, "plain")).path);
  await expect(evaluateStyled(model, options)).rejects.toThrow(
    /has no style adapter: train one with ".\/eve train style-adapter"/,
  );
});
