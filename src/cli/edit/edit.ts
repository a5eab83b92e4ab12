import { defineCommand } from "citty";
import type { Receipt } from "../../editing/report/receipt.ts";
import { deviceFrom } from "../device-option.ts";
import { lorasAgain, lorasFrom, loraStrengthFrom } from "../lora-options.ts";
import { processTerminal, Reporter, type Terminal } from "../output.ts";
import type { VerbContext } from "../verb.ts";
import { args } from "./edit-options.ts";
import { checkedRequest, wishFrom } from "./edit-request.ts";

export default defineCommand({
  meta: { name: "edit", description: "Edit a video by a plain instruction" },
  args,
  async run({ args: given, rawArgs, data }) {
    const { signal }: VerbContext = data;
    const report = new Reporter(given, given.out === "-" ? quietStdout() : processTerminal());
    const { lorasNoted, readReceipt } = await import("../../editing/report/receipt.ts");
    const repeated = given.receipt === undefined ? undefined : await readReceipt(given.receipt);
    const wish = await wishFrom(given, repeated);
    const { editFiles } = await import("./edit-files.ts");
    await using files = await editFiles(wish.source, wish.target, signal);
    const request = await checkedRequest(wish, files);
    const { openEditor } = await import("./open-editor.ts");
    const before = given.model === undefined ? repeated?.model : undefined;
    const loraStrength = loraStrengthFrom(given["lora-strength"]);
    await using editor = await openEditor({
      model: given.model ?? before?.path,
      loras: lorasAgain(lorasFrom(rawArgs), before ? lorasNoted(before) : [], loraStrength),
      loraStrength,
      device: deviceFrom(given.device),
      signal,
      onProgress: report.progress.bind(report),
    });
    const context = { editor, report, signal };
    if (request.kind === "preview") {
      const { runPreview } = await import("./edit-preview.ts");
      return await runPreview(request, context);
    }
    if (given["dry-run"] === true) {
      const { runEstimate } = await import("./edit-preview.ts");
      return await runEstimate(request, context);
    }
    if (request.seeds.length > 0) {
      const { runSeeds } = await import("./edit-seeds.ts");
      return await runSeeds(request, context);
    }
    const { reportEnd, runJob } = await import("./edit-run.ts");
    const result = await runJob(request, context);
    await files.deliver();
    if (repeated) warnOfDifferences(repeated, result.receipt, report.warn.bind(report));
    reportEnd(result, request.target, report);
  },
});

/** For a video that goes through stdout: nothing else may. */
function quietStdout(): Terminal {
  const terminal = processTerminal();
  return { ...terminal, out: terminal.err };
}

/** Says where a repeated edit did not have what the first one had. */
function warnOfDifferences(before: Receipt, now: Receipt, warn: (message: string) => void): void {
  const differing = [
    before.model.hash === now.model.hash ? [] : "the model",
    before.input.sha256 === now.input.sha256 ? [] : "the input",
    before.mask?.sha256 === now.mask?.sha256 ? [] : "the mask",
    before.versions["openEve"] === now.versions["openEve"] ? [] : "the program's version",
    // receipts of earlier versions tell none of these
    ["threads", "precision", "device"]
      .filter(
        (what) =>
          before.versions[what] !== undefined && before.versions[what] !== now.versions[what],
      )
      .map((what) => `the ${what}`),
  ].flat();
  if (differing.length === 0) return;
  const [verb, whose] = differing.length > 1 ? ["differ", "those"] : ["differs", "that"];
  warn(
    `${differing.join(" and ")} ${verb} from ${whose} of the receipt: the result may differ too`,
  );
}
