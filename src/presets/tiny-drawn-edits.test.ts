import { join } from "node:path";
import { expect, test } from "vitest";
import { saveSmallModel, SMALL_AUTOENCODER } from "../../test/support/small-model.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { ModelFolder } from "../eve/model/model-folder.ts";
import { isOfDecoder } from "../models/vae/autoencoder.ts";
import { openDrawingModel, type DrawingModel } from "./tiny-drawn-edits.ts";

const root = temporaryFolder();
const model = saveSmallModel(join(root, "model"));
const context = { signal: new AbortController().signal, progress: () => {} };

function opened({ path }: ModelFolder): ReturnType<DrawingModel["source"]> {
  const settings = { model: path, cache: join(root, "cache"), from: 700 };
  return openDrawingModel(settings, context).source("train", 7);
}

test("what is drawn and decoded is known by the networks that do it: others do it anew", () => {
  const [first, again] = [opened(model), opened(model)];
  expect([again.drawnBy, again.decodedBy]).toEqual([first.drawnBy, first.decodedBy]);
  const untrained = opened(saveSmallModel(join(root, "untrained"), { isTrained: false }));
  expect(untrained.drawnBy).not.toBe(first.drawnBy);
  expect(untrained.decodedBy).not.toBe(first.decodedBy);
});

test("another decoder decodes anew what is drawn as before", () => {
  const other = saveSmallModel(join(root, "other"));
  const weights = [...other.weights("autoencoder")].map(
    ([name, weight]) => [name, isOfDecoder(name) ? weight.mul(1.5) : weight] as const,
  );
  other.savePart("autoencoder", { config: SMALL_AUTOENCODER, weights: new Map(weights) });
  const [before, after] = [opened(model), opened(new ModelFolder(other.path))];
  expect(after.drawnBy).toBe(before.drawnBy);
  expect(after.decodedBy).not.toBe(before.decodedBy);
});
