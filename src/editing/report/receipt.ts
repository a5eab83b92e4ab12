import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { CODECS, QUALITIES } from "../../data/video/codecs.ts";
import { writeAtomically } from "../../data/output-file.ts";
import { PICTURE_LAYOUTS } from "../../data/video/picture-folder.ts";
import { picturesIn } from "../../data/video/picture-source.ts";
import { EDITED_BY_MODEL } from "../../data/video/xmp.ts";
import { firstFault } from "../../engine/config.ts";
import { DataError, UserError } from "../../engine/errors.ts";
import type { LoraChoice } from "../settings/model.ts";
import { EditSettings } from "../settings/settings.ts";
import { Changes } from "./changes.ts";

/** How an edited video came to be: enough to make it again. */
export const Receipt = z.looseObject({
  program: z.literal("open-eve"),
  /** Versions, threads and precision, which the result may depend on. */
  versions: z.record(z.string(), z.string()),
  input: z.looseObject({
    path: z.string(),
    /** That of the file; of frames that a program gave, that of all their pixels, one frame after another. */
    sha256: z.string(),
    /** Where a program gave the frames: no file has them to be read from again. */
    from: z.literal("program").optional(),
    /** Where the input carried content credentials, which do not apply to the result. */
    contentCredentials: z.string().optional(),
  }),
  model: z.looseObject({
    name: z.string(),
    path: z.string(),
    hash: z.string(),
    /** Where the LoRA came from; of several, where each did, and its strength as a look. Absent where there was none. */
    lora: z
      .union([z.string(), z.array(z.object({ path: z.string(), strength: z.number().optional() }))])
      .optional(),
    /** The strength of the only LoRA, where it is a look. */
    loraStrength: z.number().optional(),
  }),
  /** Receipts of the first versions tell nothing of flicker: frames were as drawn. */
  settings: EditSettings.extend({ deflicker: EditSettings.shape.deflicker.default("off") }),
  /** The mask's SHA-256; absent where there was none. */
  mask: z.looseObject({ sha256: z.string() }).optional(),
  output: z.looseObject({
    path: z.string(),
    frames: z.int(),
    /** What was asked for beside the name. */
    codec: z.enum(CODECS).optional(),
    quality: z.union([z.enum(QUALITIES), z.number()]).optional(),
    pictures: z.enum(PICTURE_LAYOUTS).optional(),
  }),
  /** What differs from the input; receipts of the first version lack it. */
  changes: Changes.optional(),
  /** How long the edit took, loading not counted. */
  seconds: z.number(),
});
/** A receipt as it is read; further fields are kept. */
export type Receipt = z.output<typeof Receipt>;

/** LoRAs as a receipt says them: one alone as receipts did before there could be several. */
export function notedLoras(
  loras: readonly LoraChoice[] = [],
): Pick<Receipt["model"], "lora" | "loraStrength"> {
  const [first, ...others] = loras;
  if (first === undefined) return {};
  if (others.length > 0) return { lora: [...loras] };
  const { path, strength } = first;
  return { lora: path, ...(strength !== undefined && { loraStrength: strength }) };
}

/** The LoRAs that a receipt tells of. */
export function lorasNoted({
  lora = [],
  loraStrength,
}: Pick<Receipt["model"], "lora" | "loraStrength">): readonly LoraChoice[] {
  return typeof lora === "string" ? [{ path: lora, strength: loraStrength }] : lora;
}

/** Where the receipt of an edited video, or of a folder of pictures, lies: beside it. */
export function receiptPath(output: string): string {
  return `${output.replace(/[\\/]+$/, "")}.json`;
}

/** Writes a receipt beside its video. */
export async function writeReceipt(receipt: Receipt): Promise<void> {
  await writeAtomically(receiptPath(receipt.output.path), (temporary) =>
    writeFile(temporary, `${JSON.stringify(receipt, null, 2)}\n`),
  );
}

/** Reads a receipt that an edit has written. */
export async function readReceipt(path: string): Promise<Receipt> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new UserError(`cannot read the receipt ${path}: give the .json beside an edited video`, {
      cause,
    });
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`expected a receipt in ${path}: it is no JSON`, { cause });
  }
  const parsed = Receipt.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new DataError(`expected a receipt in ${path}: ${firstFault(parsed.error)}`);
}

/** What a receipt says of an input before its frames are read: of frames that a program gives no hash. */
export interface InputBefore {
  readonly path: string;
  readonly sha256?: string;
  readonly from?: "program" | undefined;
  readonly contentCredentials?: string | undefined;
}

/** What a receipt says of an edit before its frames are read. */
export type ReceiptBefore = Pick<
  Receipt,
  "program" | "versions" | "model" | "settings" | "mask"
> & { readonly input: InputBefore };

/** The receipt for the video's own metadata: without paths, which are nobody else's business. */
export function receiptComment({
  program,
  versions,
  input,
  model,
  settings,
  mask,
}: ReceiptBefore): string {
  const { path, ...described } = input;
  return JSON.stringify({
    program,
    versions,
    input: { ...described, name: basename(path) },
    model: { name: model.name, hash: model.hash },
    settings: { ...settings, mask: basename(settings.mask) },
    ...(mask && { mask }),
    digitalSourceType: EDITED_BY_MODEL,
  });
}

/** SHA-256 of a file, read in pieces; of a folder of pictures, that of theirs. */
export async function fileHash(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  if ((await stat(path)).isDirectory()) {
    const hashes: string[] = [];
    for (const file of await picturesIn(path)) hashes.push(await fileHash(file, signal));
    return hash.update(hashes.join()).digest("hex");
  }
  await pipeline(createReadStream(path), hash, signal ? { signal } : {});
  return hash.digest("hex");
}
