import type { Editor } from "../../editing/editor.ts";
import type { LoadOptions } from "../../editing/options.ts";
import { UserError } from "../../engine/errors.ts";

/** Which model a command edits with. */
export interface EditorChoice extends LoadOptions {
  /** A LoRA for the open model. */
  readonly lora?: string | undefined;
  /** What it is multiplied by. */
  readonly loraStrength?: number | undefined;
}

/** Loads the model that a command names: `open` for the public weights in the hub's cache, else a folder. */
export async function openEditor(choice: EditorChoice): Promise<Editor> {
  const { model: name, lora, loraStrength, ...options } = choice;
  const { OPEN_NAME } = await import("../../eve/open/open-name.ts");
  if (name === OPEN_NAME) {
    const { loadOpenEditor } = await import("../../hub/open-editor.ts");
    return loadOpenEditor({ ...options, lora, loraStrength });
  }
  if (loraStrength !== undefined && lora === undefined)
    throw new UserError("--lora-strength goes with --lora: give the LoRA that it is for");
  if (lora !== undefined)
    throw new UserError("--lora goes with --model open: other models hold their own alignment");
  const { modelPath } = await import("../../editing/settings/model-path.ts");
  const model = modelPath(name);
  const { loadEditor } = await import("../../editing/editor.ts"); // brings the native engine
  return loadEditor({ ...options, model });
}
