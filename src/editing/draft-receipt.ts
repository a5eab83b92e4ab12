import type { VideoInfo } from "../data/video/video-info.ts";
import type { OpenSource } from "../data/video/video-source.ts";
import { EDITED_BY_MODEL } from "../data/video/xmp.ts";
import { defaultDevice } from "../engine/device.ts";
import { arithmetic, versions } from "../engine/provenance.ts";
import type { EditRequest } from "./check.ts";
import { maskHash } from "./frames/mask.ts";
import type { PreparedEdit } from "./prepared-edit.ts";
import type { Changes } from "./report/changes.ts";
import { fileHash, type InputBefore, notedLoras, type Receipt } from "./report/receipt.ts";

/** What a receipt says of an edit before it begins: the program, the input, the model and the settings. */
export async function draftReceipt(request: EditRequest, edit: PreparedEdit, signal: AbortSignal) {
  const { model, info, settings } = edit;
  return {
    program: "open-eve" as const,
    versions: { ...versions(), ...arithmetic(), device: defaultDevice() },
    input: await inputOf(request, info, signal),
    model: {
      name: model.name,
      path: model.path,
      hash: model.hash,
      ...notedLoras(model.loras),
    },
    settings,
    ...(settings.mask === "" ? {} : { mask: { sha256: await maskHash(settings.mask) } }),
  };
}

/**
 * What the receipt says of the input; content credentials are named because they do not apply to the result.
 *
 * The hash of frames that a program gives is known when they were read.
 */
async function inputOf(
  { source, videoName }: EditRequest,
  { contentCredentials }: VideoInfo,
  signal: AbortSignal,
): Promise<InputBefore> {
  if (source.type === "frames") return { path: videoName ?? "frames", from: "program" };
  const sha256 = await fileHash(source.path, signal);
  const found =
    contentCredentials === null ? {} : { contentCredentials: `C2PA in ${contentCredentials}` };
  return { path: videoName ?? source.path, sha256, ...found };
}

/** As `draftReceipt` makes it. */
export type DraftReceipt = Awaited<ReturnType<typeof draftReceipt>>;

/** What an edit came to. */
interface Outcome {
  readonly frames: number;
  readonly changes: Changes;
  readonly seconds: number;
}

/** The receipt of an edit that is done. */
export function finishedReceipt(
  draft: DraftReceipt,
  { source, output = "", encoding }: PreparedEdit,
  { frames, changes, seconds }: Outcome,
): Receipt {
  return {
    ...draft,
    input: { ...draft.input, sha256: hashRead(draft.input, source) },
    output: { path: output, frames, ...encoding, digitalSourceType: EDITED_BY_MODEL },
    changes,
    seconds,
  };
}

function hashRead({ sha256 = "" }: InputBefore, source: OpenSource): string {
  return source.type === "frames" ? source.sha256() : sha256;
}
