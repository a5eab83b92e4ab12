import { afterEach, expect, test, vi } from "vitest";
import { Editor } from "../../src/editing/editor.ts";
import { setDefaultDevice } from "../../src/engine/device.ts";
import { EditModel } from "../../src/eve/model/edit-model.ts";
import { clipFolder, makeClip } from "../support/clips.ts";
import { framesEdited, PLENTY } from "../support/edits.ts";
import { saveSmallModel } from "../support/small-model.ts";
import { useVirtualDevice } from "../support/virtual-device.ts";

afterEach(() => {
  vi.restoreAllMocks();
  setDefaultDevice("cpu");
});

test("an edit computes on the default device, all of it, and is continued there", async () => {
  await using folder = await clipFolder();
  const [input, output] = [folder.file("input.mp4"), folder.file("output.mp4")];
  await makeClip(input, { width: 32, height: 32, ticks: [0, 1, 2, 3, 4, 5].map((i) => i * 512) });
  saveSmallModel(folder.file("model")); // windows of 4
  const options = { steps: 2, guidance: { text: 2, image: 1.5 } };
  const newEditor = () => new Editor(EditModel.load(folder.file("model")), PLENTY);
  const onCpu = await framesEdited(newEditor(), input, "make it snow", options);

  useVirtualDevice(); // refuses an operator that is given tensors of both places
  const editor = newEditor();
  const there = await framesEdited(editor, input, "make it snow", options);
  // Its noise is drawn by operators, equal to JavaScript's to the rounding of float32, which bfloat16 makes more of.
  const differences = there.flatMap(({ rgb }, index) =>
    [...rgb].map((value, at) => Math.abs(value - onCpu[index]!.rgb[at]!)),
  );
  expect(differences.reduce((sum, value) => sum + value) / differences.length).toBeLessThan(1);

  const stopped = editor.edit(input, "make it snow", { ...options, output, resume: true });
  for await (const event of stopped) if (event.type === "progress" && event.frame === 4) break;
  const resumed = await framesEdited(editor, input, "make it snow", {
    ...options,
    output,
    resume: true,
  });
  expect(resumed.map(({ rgb }) => rgb)).toEqual(there.map(({ rgb }) => rgb));
});
