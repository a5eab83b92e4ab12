import { defineCommand } from "citty";
import { UserError } from "../engine/errors.ts";
import type { Receipt } from "../editing/receipt.ts";
import { args, requireNew, settingsFrom } from "./edit-options.ts";
import { duration, processTerminal, Reporter, type Terminal } from "./output.ts";
import type { VerbContext } from "./verb.ts";

export default defineCommand({
  meta: { name: "edit", description: "Edit a video by a plain instruction" },
  args,
  async run({ args: given, data }) {
    const { signal }: VerbContext = data;
    const report = new Reporter(given, given.out === "-" ? quietStdout() : processTerminal());
    const { readReceipt } = await import("../editing/receipt.ts");
    const repeated = given.receipt === undefined ? undefined : await readReceipt(given.receipt);
    const source = given.video ?? repeated?.input.path;
    if (source === undefined) throw new UserError("missing <video>: the video to edit");
    const asked = settingsFrom(given, repeated);
    const { editFiles, encodingFrom, outputOf } = await import("./edit-files.ts");
    const target = outputOf(given, source, asked);
    requireNew(target, given.force === true);
    const encoding = encodingFrom(given, target, repeated);
    await using files = await editFiles(source, target, signal);
    const { video, videoName, output } = files;
    const { checkRequest } = await import("../editing/check.ts");
    const { info, settings } = await checkRequest({
      video,
      output,
      encoding,
      settings: asked,
    });
    const comparison = given.compare === undefined ? undefined : await newComparison(given.compare);
    const onProgress = report.progress.bind(report);
    const onWarning = report.warn.bind(report);
    const { modelPath } = await import("../editing/model-path.ts");
    const model = modelPath(given.model ?? repeated?.model.path);
    const { loadEditor } = await import("../editing/editor.ts"); // brings the native engine
    await using editor = await loadEditor({ model, signal, onProgress });
    const { instruction, ...options } = settings;
    const edit = editor.edit(video, instruction, {
      ...options,
      output,
      encoding,
      videoName,
      signal,
      onProgress,
      onWarning,
    });
    for await (const frame of edit) comparison?.add(frame, info.frames);
    const { frames, width, height, seconds, receipt } = await edit.result;
    await comparison?.write(instruction);
    await files.deliver();
    if (repeated) warnOfDifferences(repeated, receipt, onWarning);
    const { task, method, seed } = receipt.settings;
    report.event(
      { ...receipt, type: "edited" },
      `${target}: ${frames} frames of ${width} × ${height}, ${task}, ${method}, seed ${seed}, in ${duration(seconds)}`,
    );
  },
});

/** For a video that goes through stdout: nothing else may. */
function quietStdout(): Terminal {
  const terminal = processTerminal();
  return { ...terminal, out: terminal.err };
}

async function newComparison(path: string) {
  const { Comparison } = await import("./comparison.ts");
  return Comparison.at(path);
}

/** Says where a repeated edit did not have what the first one had. */
function warnOfDifferences(before: Receipt, now: Receipt, warn: (message: string) => void): void {
  const differing = [
    before.model.hash === now.model.hash ? [] : "the model",
    before.input.sha256 === now.input.sha256 ? [] : "the input",
    before.versions["openEve"] === now.versions["openEve"] ? [] : "the program's version",
    // receipts of earlier versions tell neither
    ["threads", "precision"]
      .filter(
        (what) =>
          before.versions[what] !== undefined && before.versions[what] !== now.versions[what],
      )
      .map((what) => `the ${what}`),
  ].flat();
  if (differing.length === 0) return;
  warn(`${differing.join(" and ")} differ from the receipt's: the result may differ too`);
}
