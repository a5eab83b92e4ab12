import type { Editor } from "../../editing/editor.ts";
import type { LoadOptions } from "../../editing/options.ts";
import type { LoraChoice } from "../../editing/settings/model.ts";
import { UserError } from "../../engine/errors.ts";

/** Which model a command edits with. */
export interface EditorChoice extends LoadOptions {
  /** LoRAs for the open model. */
  readonly loras?: readonly LoraChoice[] | undefined;
  /** What looks without a strength of their own are multiplied by. */
  readonly loraStrength?: number | undefined;
}

/** Loads the model that a command names: `open` for the public weights in the hub's cache, else a folder. */
export async function openEditor(choice: EditorChoice): Promise<Editor> {
  const { model: name, loras = [], loraStrength, ...options } = choice;
  const { OPEN_NAME } = await import("../../eve/open/open-name.ts");
  if (name === OPEN_NAME) {
    const { loadOpenEditor } = await import("../../hub/open-editor.ts");
    return loadOpenEditor({ ...options, lora: loras, loraStrength });
  }
  if (loraStrength !== undefined && loras.length === 0)
    throw new UserError("--lora-strength goes with --lora: give the LoRA that it is for");
  if (loras.length > 0)
    throw new UserError("--lora goes with --model open: other models hold their own alignment");
  const { modelPath } = await import("../../editing/settings/model-path.ts");
  const model = modelPath(name);
  const { loadEditor } = await import("../../editing/editor.ts");
  return loadEditor({ ...options, model });
}
