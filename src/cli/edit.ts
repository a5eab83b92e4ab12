import { parse } from "node:path";
import { defineCommand } from "citty";
import { UserError } from "../engine/errors.ts";
import type { DeviceChoice } from "../engine/device.ts";
import type { Receipt } from "../editing/receipt.ts";
import { NO_VALUE, oneOf } from "./arguments.ts";
import { args, type GivenOptions, requireNew, seedsFrom, settingsFrom } from "./edit-options.ts";
import { Reporter } from "./output.ts";
import type { VerbContext } from "./verb.ts";

export default defineCommand({
  meta: { name: "edit", description: "Edit a video by a plain instruction" },
  args,
  async run({ args: given, data }) {
    const { signal }: VerbContext = data;
    const report = new Reporter(given);
    const { readReceipt } = await import("../editing/receipt.ts");
    const repeated = given.receipt === undefined ? undefined : await readReceipt(given.receipt);
    const request = await checkedRequest(given, repeated);
    const { modelPath } = await import("../editing/model-path.ts");
    const model = modelPath(given.model ?? repeated?.model.path);
    const device = deviceFrom(given.device);
    const { loadEditor } = await import("../editing/editor.ts"); // brings the native engine
    const onProgress = report.progress.bind(report);
    await using editor = await loadEditor({ model, device, signal, onProgress });
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
    if (repeated) warnOfDifferences(repeated, result.receipt, report.warn.bind(report));
    reportEnd(result, request.output, report);
  },
});

/** What the command line asks for, checked as far as that needs no model. */
async function checkedRequest(given: GivenOptions, repeated: Receipt | undefined) {
  const video = textOf(given.video) ?? repeated?.input.path;
  if (video === undefined) throw new UserError("missing <video>: the video to edit");
  const seeds = seedsFrom(given.seeds);
  const kind = given.preview === undefined ? "edit" : "preview";
  requireCompatible(given);
  const { name } = parse(video);
  const output =
    textOf(given.out) ?? (kind === "preview" ? `${name}-preview.png` : `${name}-edited.mp4`);
  const isForced = given.force === true;
  const compare = textOf(given.compare);
  const changeMap = textOf(given["change-map"]);
  const settings = settingsFrom(given, repeated);
  const { requirePng } = await import("./edit-run.ts");
  if (kind === "preview") await requirePng("-o", output);
  if (changeMap !== undefined) await requirePng("--change-map", changeMap);
  const { seedPath } = await import("./edit-seeds.ts");
  const outputs = seeds.length === 0 ? [output] : seeds.map((seed) => seedPath(output, seed));
  for (const path of outputs) requireNew(path, isForced);
  const { checkRequest } = await import("../editing/check.ts");
  const isVideo = kind === "edit";
  for (const path of outputs) {
    await checkRequest({ video, output: isVideo ? path : undefined, settings });
  }
  const at = given.preview === NO_VALUE ? undefined : textOf(given.preview);
  return {
    kind,
    video,
    output,
    settings,
    seeds,
    compare,
    changeMap,
    at,
    resume: given.resume === true,
  };
}

/** A request of `eve edit`. */
export type CheckedEdit = Awaited<ReturnType<typeof checkedRequest>>;

/** Pairs of options that mean different things to do. */
const EXCLUSIVE = [
  ["preview", "seeds"],
  ["preview", "dry-run"],
  ["preview", "frames"],
  ["preview", "change-map"],
  ["preview", "resume"],
  ["seeds", "seed"],
  ["seeds", "compare"],
  ["seeds", "change-map"],
] as const;

function requireCompatible(given: GivenOptions): void {
  const both = EXCLUSIVE.find(([one, other]) => isGiven(given[one]) && isGiven(given[other]));
  if (both === undefined) return;
  throw new UserError(`--${both[0]} and --${both[1]} exclude each other: give one`);
}

function isGiven(value: string | boolean | undefined): boolean {
  return value !== undefined && value !== false;
}

function textOf(value: string | boolean | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The device by its name; reads nothing of the engine. */
export function deviceFrom(name: string | undefined): DeviceChoice {
  return oneOf("--device", name ?? "auto", ["auto", "cpu", "cuda", "mps"]);
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
  warn(`${differing.join(" and ")} differ from the receipt's: the result may differ too`);
}
