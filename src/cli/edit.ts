import { parse } from "node:path";
import { defineCommand } from "citty";
import { UserError } from "../engine/errors.ts";
import type { Receipt } from "../editing/receipt.ts";
import { NO_VALUE } from "./arguments.ts";
import type { EditFiles } from "./edit-files.ts";
import {
  args,
  deviceFrom,
  type GivenOptions,
  requireNew,
  seedsFrom,
  settingsFrom,
} from "./edit-options.ts";
import { processTerminal, Reporter, type Terminal } from "./output.ts";
import type { VerbContext } from "./verb.ts";

export default defineCommand({
  meta: { name: "edit", description: "Edit a video by a plain instruction" },
  args,
  async run({ args: given, data }) {
    const { signal }: VerbContext = data;
    const report = new Reporter(given, given.out === "-" ? quietStdout() : processTerminal());
    const { readReceipt } = await import("../editing/receipt.ts");
    const repeated = given.receipt === undefined ? undefined : await readReceipt(given.receipt);
    const wish = await wishFrom(given, repeated);
    const { editFiles } = await import("./edit-files.ts");
    await using files = await editFiles(wish.source, wish.target, signal);
    const request = await checkedRequest(wish, files);
    const { openEditor } = await import("./open-editor.ts"); // brings the native engine
    await using editor = await openEditor({
      model: given.model ?? repeated?.model.path,
      lora: given.lora ?? (given.model === undefined ? repeated?.model.lora : undefined),
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

/** What the command line asks for: where from, where to, and how; no file but a receipt was read for it. */
async function wishFrom(given: GivenOptions, repeated: Receipt | undefined) {
  const source = textOf(given.video) ?? repeated?.input.path;
  if (source === undefined) throw new UserError("missing <video>: the video to edit");
  requireCompatible(given);
  const seeds = seedsFrom(given.seeds);
  const settings = settingsFrom(given, repeated);
  const { encodingFrom, outputOf } = await import("./edit-files.ts");
  const isPreview = given.preview !== undefined;
  const target = isPreview
    ? (textOf(given.out) ?? `${source === "-" ? "stdin" : parse(source).name}-preview.png`)
    : outputOf(given, source, settings);
  if (seeds.length > 0 && target === "-")
    throw new UserError("--seeds makes several videos, stdout takes one: give a file with -o");
  const { seedPath } = await import("./edit-seeds.ts");
  const targets = seeds.length === 0 ? [target] : seeds.map((seed) => seedPath(target, seed));
  for (const path of targets) requireNew(path, given.force === true);
  return {
    kind: isPreview ? ("preview" as const) : ("edit" as const),
    source,
    target,
    settings,
    seeds,
    encoding: isPreview ? {} : encodingFrom(given, target, repeated),
    compare: textOf(given.compare),
    changeMap: textOf(given["change-map"]),
    at: given.preview === NO_VALUE ? undefined : textOf(given.preview),
    resume: given.resume === true,
  };
}

/** The wish with its files in place, checked as far as that needs no model. */
async function checkedRequest(
  wish: Awaited<ReturnType<typeof wishFrom>>,
  { video, videoName, output }: EditFiles,
) {
  const { kind, settings, seeds, encoding, changeMap, target } = wish;
  const { seedPath } = await import("./edit-seeds.ts");
  const { requirePng } = await import("./edit-run.ts");
  if (kind === "preview") await requirePng("-o", target);
  if (changeMap !== undefined) await requirePng("--change-map", changeMap);
  const { checkRequest } = await import("../editing/check.ts");
  const [first = output, ...others] = seeds.map((seed) => seedPath(output, seed));
  const request = { video, output: kind === "edit" ? first : undefined, encoding, settings };
  const checked = await checkRequest(request);
  const { checkOutput } = await import("../data/video/outputs.ts");
  for (const path of others) await checkOutput(checked.info, path, encoding);
  // what goes through stdout lies in a folder that does not last
  const keepWork = target !== "-";
  return { ...wish, ...checked, video, videoName, output, keepWork };
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
  ["seeds", "dry-run"],
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
