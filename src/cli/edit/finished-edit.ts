import { existsSync } from "node:fs";
import type { OutputChoice } from "../../data/video/outputs.ts";
import { isOwnResult } from "../../editing/kept-files.ts";
import { fileHash, readReceipt, type Receipt, receiptPath } from "../../editing/report/receipt.ts";
import type { EditingModel } from "../../editing/settings/model.ts";

/** An edit as it is asked for, and all that it is to write. */
interface WantedEdit {
  readonly video: string;
  readonly output: string;
  readonly encoding: OutputChoice;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly compare?: string | undefined;
  readonly changeMap?: string | undefined;
}

/**
 * The receipt of a result that the same edit of the same input by the same weights has made before, stored alike, with all
 * that it was to write beside it; undefined where there is none.
 */
export async function finishedEdit(
  { video, output, encoding, settings, compare, changeMap }: WantedEdit,
  model: EditingModel,
): Promise<Receipt | undefined> {
  const beside = [compare, changeMap].filter((path) => path !== undefined);
  if (!isOwnResult(output) || ![video, ...beside].every((path) => existsSync(path)))
    return undefined;
  const { readSettings, resolveSettings } = await import("../../editing/settings/settings.ts");
  const { maskHash } = await import("../../editing/frames/mask.ts");
  const wanted = resolveSettings(readSettings(settings), model);
  const receipt = await readReceipt(receiptPath(output));
  const isSame =
    receipt.model.hash === model.hash &&
    receipt.output.codec === encoding.codec &&
    receipt.output.quality === encoding.quality &&
    (receipt.output.pictures ?? "png") === (encoding.pictures ?? "png") &&
    JSON.stringify(resolveSettings(receipt.settings, model)) === JSON.stringify(wanted) &&
    receipt.input.sha256 === (await fileHash(video)) &&
    receipt.mask?.sha256 === (wanted.mask === "" ? undefined : await maskHash(wanted.mask));
  return isSame ? receipt : undefined;
}
