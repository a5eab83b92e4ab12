import type { Editor } from "../editing/editor.ts";
import { openFolderEditor, type OpenEditorOptions } from "../editing/open-editor.ts";
import { requireLoadOpenOptions } from "../editing/options.ts";
import type { OpenFolders } from "../eve/open/open-folders.ts";
import { openHub } from "./hub.ts";
import { locateOpenModel } from "./open-weights.ts";

/** What aligns the public weights, and where they lie. */
export interface LoadOpenOptions extends Omit<OpenEditorOptions, "folders"> {
  /** Where the weights lie; those of the hub's cache, where `eve pull open` puts them, by default. */
  readonly folders?: OpenFolders | undefined;
}

/**
 * Loads the model of public weights at full size and makes an editor of it.
 *
 * Throws a UserError of one sentence where weights are missing, and a MemoryError where they do not fit.
 */
export async function loadOpenEditor(given: LoadOpenOptions = {}): Promise<Editor> {
  requireLoadOpenOptions(given);
  const { folders, ...options } = given;
  options.signal?.throwIfAborted();
  return openFolderEditor({ ...options, folders: folders ?? (await locateOpenModel(openHub())) });
}
