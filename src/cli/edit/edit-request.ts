import { parse } from "node:path";
import type { Keeping } from "../../editing/kept-files.ts";
import type { Receipt } from "../../editing/report/receipt.ts";
import { UserError } from "../../engine/errors.ts";
import { NO_VALUE } from "../arguments.ts";
import type { EditFiles } from "./edit-files.ts";
import { type GivenOptions, seedsFrom, settingsFrom } from "./edit-options.ts";

/** What the command line asks for: where from, where to, and how; no file but a receipt was read for it. */
export async function wishFrom(given: GivenOptions, repeated: Receipt | undefined) {
  const source = textOf(given.video) ?? sourceAgain(repeated);
  requireCompatible(given);
  const seeds = seedsFrom(given.seeds);
  const settings = settingsFrom(given, repeated);
  const { encodingFrom, outputOf, seedPath, seedSheetPath } = await import("./edit-files.ts");
  const { isOwnResult, requireNew, requireNoNotes } = await import("../../editing/kept-files.ts");
  const isPreview = given.preview !== undefined;
  const target = isPreview
    ? (textOf(given.out) ?? `${source === "-" ? "stdin" : parse(source).name}-preview.png`)
    : outputOf(given, source, settings);
  if (seeds.length > 0 && target === "-")
    throw new UserError("--seeds makes several videos, stdout takes one: give a file with -o");
  const targets = seeds.length === 0 ? [target] : seeds.map((seed) => seedPath(target, seed));
  const [compare, changeMap] = [textOf(given.compare), textOf(given["change-map"])];
  const overwrite = given.force === true;
  const isContinued = given.resume === true && seeds.length > 0;
  const keeping = (flag = "-o") => keepingBy(overwrite, flag);
  for (const path of targets) if (!(isContinued && isOwnResult(path))) requireNew(path, keeping());
  if (compare !== undefined) requireNew(compare, keeping("--compare"));
  if (changeMap !== undefined) requireNew(changeMap, keeping("--change-map"));
  if (!isPreview && target !== "-") for (const path of targets) requireNoNotes(path, keeping());
  if (seeds.length > 0 && !isContinued) requireNew(seedSheetPath(target), keeping());
  return {
    kind: isPreview ? ("preview" as const) : ("edit" as const),
    source,
    target,
    settings,
    seeds,
    encoding: isPreview ? {} : encodingFrom(given, target, repeated),
    compare,
    changeMap,
    at: given.preview === NO_VALUE ? undefined : textOf(given.preview),
    resume: given.resume === true,
    overwrite,
  };
}

/** The video that a receipt tells of. Throws a UserError where there is none, or where no file has it. */
function sourceAgain(repeated: Receipt | undefined): string {
  if (repeated === undefined) throw new UserError("missing <video>: the video to edit");
  const { path, from } = repeated.input;
  if (from !== "program") return path;
  throw new UserError(
    `the receipt is of frames that a program gave, called ${path}: name a video to edit in the same way`,
  );
}

/** Whether `--force` lets files be replaced, and what to say where it does not. */
export function keepingBy(overwrite: boolean, flag = "-o"): Keeping {
  return { overwrite, instead: `give another name with ${flag}, or --force to replace it` };
}

/** The wish with its files in place, checked as far as that needs no model. */
export async function checkedRequest(
  wish: Awaited<ReturnType<typeof wishFrom>>,
  { video, videoName, output }: EditFiles,
) {
  const { kind, settings, seeds, encoding, compare, changeMap, target } = wish;
  const { seedPath } = await import("./edit-files.ts");
  const { requirePng } = await import("./edit-run.ts");
  if (kind === "preview") await requirePng("-o", target);
  if (changeMap !== undefined) await requirePng("--change-map", changeMap);
  const { checkRequest } = await import("../../editing/check.ts");
  const [first = output, ...others] = seeds.map((seed) => seedPath(output, seed));
  const { videoFile } = await import("../../data/video/video-source.ts");
  const source = videoFile(video);
  const isEdit = kind === "edit";
  const request = {
    source,
    output: isEdit ? first : undefined,
    compare: isEdit ? compare : undefined,
    encoding,
    settings,
  };
  const checked = await checkRequest(request);
  const { checkOutput } = await import("../../data/video/outputs.ts");
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
