import { byteTensor } from "../../data/byte-pictures.ts";
import type { WorldEdit } from "../../data/world/edits.ts";
import { Finishing, wantsReconstruction } from "../../editing/finishing/finishing.ts";
import { fittedSquare } from "../../editing/finishing/square.ts";
import { totalWork } from "../../editing/report/progress.ts";
import {
  DEFAULT_OVERLAP,
  isTogether,
  type NoiseMode,
  type ResolvedSettings,
} from "../../editing/settings/settings.ts";
import { WindowEditor, type WindowEditOptions } from "../../editing/windows/window-editor.ts";
import { windowCapacity } from "../../editing/windows/windows.ts";
import { HeldTensors } from "../../engine/held-tensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Float } from "../../engine/tensor.ts";
import type { EvaluatedModel } from "./evaluated-model.ts";
import type { MethodName } from "./method-names.ts";
import { settingsFor, type EvaluationOptions } from "./options.ts";
import { decoded } from "./pictures.ts";

/** One clip as the methods get it. Only `reconstruction`, which is no editor, reads the truth. */
export interface MethodInput {
  readonly model: EvaluatedModel;
  readonly request: WorldEdit;
  readonly options: Pick<EvaluationOptions, "draw" | "isCaptionGiven">;
  readonly seed: number;
  /** RGB bytes of each frame. */
  readonly inputFrames: readonly Uint8Array[];
  /** The input as the autoencoder sees it. */
  readonly input: Float<"f c h w">;
  /** The truth, encoded and decoded. */
  readonly reconstruction: readonly Uint8Array[];
}

/** What not every model has. */
export type NeededPart = "video adapter" | "alignment";

/** A way to edit a clip, or a bound on what any way can reach. */
export interface Method {
  /** Null where no noise is drawn. */
  readonly noise: NoiseMode | null;
  /** The part of the model that it cannot do without. */
  readonly needs: NeededPart | null;
  /** How many frames go through a denoiser, over all windows and steps of a clip. */
  readonly cost: (frames: number, window: number, steps: number) => number;
  /** The edited frames, RGB bytes each. */
  readonly edit: (clip: MethodInput, context: WindowEditOptions) => Promise<readonly Uint8Array[]>;
}

/** Frames of a clip that are edited in one batch where each is edited by itself. */
const BATCH = 16;

const NEEDS: Readonly<Record<ResolvedSettings["method"], NeededPart | null>> = {
  aligned: "alignment",
  stacked: "video adapter",
  "frame-by-frame": null,
};

/** The methods that draw, each with both kinds of noise. */
function drawing(method: ResolvedSettings["method"], noise: NoiseMode): Method {
  const isJoint = isTogether(method);
  return {
    noise,
    needs: NEEDS[method],
    cost: (frames, window, steps) =>
      totalWork(frames, {
        method,
        steps,
        window: isJoint ? window : BATCH,
        overlap: isJoint ? DEFAULT_OVERLAP : 0,
      }),
    edit: (clip, context) => {
      const { model, request, options, seed } = clip;
      const window = isJoint ? {} : { window: BATCH };
      const settings = settingsFor(model, request, options, { method, noise, seed, ...window });
      return editFrames(model, clip, settings, context);
    },
  };
}

/** Edits a clip window by window, as `eve edit` does. */
export async function editFrames(
  model: EvaluatedModel,
  { input, inputFrames }: Pick<MethodInput, "input" | "inputFrames">,
  settings: ResolvedSettings,
  context: WindowEditOptions,
): Promise<Uint8Array[]> {
  using editor = new WindowEditor(model, settings);
  const { size } = model;
  const finishing = new Finishing(model, settings);
  const sources = inputFrames.map((rgb) => ({ rgb, width: size, height: size }));
  const pictures: Uint8Array[] = [];
  for (let done = 0; done < sources.length;) {
    using held = new HeldTensors();
    const group = sources.slice(done, done + windowCapacity(done, settings));
    const fresh = held.make(() => input.narrow(0, done, group.length));
    const edited = decoded(model, await editor.edit(fresh, held, context));
    const carried = wantsReconstruction(settings) ? decoded(model, fresh) : [];
    const squares = group.map((frame, index) => {
      using _ = tensorScope();
      const reconstruction = carried[index] && byteTensor(carried[index]);
      const drawn = { edited: byteTensor(edited[index]!), reconstruction };
      return finishing.square(fittedSquare(frame, size), drawn);
    });
    pictures.push(...finishing.next(group, squares).map(({ finish }) => finish()));
    done += group.length;
  }
  pictures.push(...finishing.rest().map(({ finish }) => finish()));
  return pictures;
}

/** All methods. */
export const METHODS: Readonly<Record<MethodName, Method>> = {
  /** Both adapters, aligned by distillation. */
  aligned: drawing("aligned", "independent"),
  "aligned-shared": drawing("aligned", "shared"),
  /** Both adapters attached, not aligned: the paper's "plug-and-play" row. */
  stacked: drawing("stacked", "independent"),
  "stacked-shared": drawing("stacked", "shared"),
  /** The edit teacher on every frame, as if each were a picture of its own. */
  "frame-by-frame": drawing("frame-by-frame", "independent"),
  "frame-by-frame-shared": drawing("frame-by-frame", "shared"),
  /** Nothing is done: wins wherever little changes, so every figure is to be read beside it. */
  copy: {
    noise: null,
    needs: null,
    cost: () => 0,
    edit: async ({ inputFrames }) => inputFrames,
  },
  /** The truth, there and back through the autoencoder: the ceiling of what any method draws. */
  reconstruction: {
    noise: null,
    needs: null,
    cost: () => 0,
    edit: async ({ reconstruction }) => reconstruction,
  },
};

/** Whether `model` has the part that a method needs. */
export function hasPart(
  { hasVideoAdapter, hasAlignment }: Pick<EvaluatedModel, "hasVideoAdapter" | "hasAlignment">,
  part: NeededPart | null,
): boolean {
  switch (part) {
    case null:
      return true;
    case "video adapter":
      return hasVideoAdapter;
    case "alignment":
      return hasAlignment;
  }
}
