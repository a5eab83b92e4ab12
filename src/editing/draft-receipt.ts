import type { VideoInfo } from "../data/video/probe.ts";
import { defaultDevice } from "../engine/device.ts";
import { arithmetic, versions } from "../engine/provenance.ts";
import type { EditRequest } from "./check.ts";
import { maskHash } from "./frames/mask.ts";
import type { PreparedEdit } from "./prepared-edit.ts";
import { fileHash, notedLoras } from "./report/receipt.ts";

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

/** What the receipt says of the input; content credentials are named because they do not apply to the result. */
async function inputOf(
  { video, videoName = video }: EditRequest,
  { contentCredentials }: VideoInfo,
  signal: AbortSignal,
) {
  const sha256 = await fileHash(video, signal);
  const found =
    contentCredentials === null ? {} : { contentCredentials: `C2PA in ${contentCredentials}` };
  return { path: videoName, sha256, ...found };
}

/** As `draftReceipt` makes it. */
export type DraftReceipt = Awaited<ReturnType<typeof draftReceipt>>;
