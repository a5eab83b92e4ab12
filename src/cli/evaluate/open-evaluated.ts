import type { EditModel } from "../../eve/model/edit-model.ts";
import type { PartsElsewhere } from "../../eve/model/model-folder.ts";
import { deviceFrom } from "../device-option.ts";
import type { Reporter } from "../output.ts";

/** Loads the model that a verb evaluates, on the device that it was told. */
export async function openEvaluated(
  { model, device }: { readonly model: string; readonly device?: string | undefined },
  report: Reporter,
  parts: PartsElsewhere = {},
): Promise<EditModel> {
  const choice = deviceFrom(device);
  const { chooseDevice } = await import("../../engine/device.ts");
  const { nearestModel } = await import("../../editing/settings/model-path.ts");
  const { EditModel } = await import("../../eve/model/edit-model.ts");
  chooseDevice(choice);
  report.progress({ type: "progress", phase: `loading ${model}` });
  return EditModel.load(nearestModel(model), parts);
}
