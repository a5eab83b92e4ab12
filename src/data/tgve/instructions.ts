import { DataError } from "../../engine/errors.ts";
import { isRecord, jsonOf } from "../../engine/json.ts";
import type { TgveEdit, TgveVideo } from "./table.ts";

/**
 * The videos with the instructions that a JSON text has for them: `{"<video>": {"edit_style": "make it …", …}}`, as InsV2V's
 * authors published them for TGVE. `what` names the text in errors; it must have one for every edit.
 */
export function withInstructions(
  videos: readonly TgveVideo[],
  text: string,
  what: string,
): TgveVideo[] {
  const found = jsonOf(text);
  if (!isRecord(found))
    throw new DataError(`${what}: expected JSON such as {"<video>": {"edit_style": "…"}}`);
  const instructionOf = (name: string, { kind }: TgveEdit): string => {
    const own = found[name];
    const instruction = isRecord(own) ? own[`edit_${kind}`] : undefined;
    if (typeof instruction === "string" && instruction.trim() !== "") return instruction.trim();
    throw new DataError(`${what}: expected an instruction "edit_${kind}" for ${name}, found none`);
  };
  return videos.map((video) => ({
    ...video,
    edits: video.edits.map((edit) => ({ ...edit, instruction: instructionOf(video.name, edit) })),
  }));
}
