import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UserError } from "../engine/errors.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { exportTinyPart } from "./tiny-export.ts";

const root = temporaryFolder();

test("a stage that is no part of a model is answered with the parts", async () => {
  const attempt = exportTinyPart("student", root, join(root, "model"), root);
  await expect(attempt).rejects.toThrow(
    new UserError(
      'expected a stage among autoencoder, text-encoder, backbone, edit-adapter, video-adapter, got "student"',
    ),
  );
});

test("a run that is not finished is named, with what finishes it", async () => {
  const run = join(root, "run");
  mkdirSync(run);
  const attempt = exportTinyPart("backbone", run, join(root, "model"), root);
  await expect(attempt).rejects.toThrow(UserError);
  await expect(attempt).rejects.toThrow(/weights of a finished run at .*run\/weights\/backbone/);
  await expect(attempt).rejects.toThrow(/finish it with "\.\/eve train backbone"/);
});
