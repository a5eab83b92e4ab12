import { bytesOf, freeBytes } from "../../data/byte-pictures.ts";
import { unfitFrame } from "../../data/video/fit.ts";
import { invariant } from "../../engine/errors.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { EditingModel } from "../settings/model.ts";
import type { ResolvedSettings } from "../settings/settings.ts";
import {
  DEFLICKER,
  deflickered,
  type DeflickerOptions,
  type FrameInTime,
  FramesInTime,
} from "./deflicker.ts";
import { keepDetail, withFinerDetail } from "./detail.ts";
import type { SourceFrame, SquarePicture } from "./square.ts";

/** What is done to pictures that are drawn. */
export type FinishingSettings = Pick<ResolvedSettings, "detail" | "deflicker">;

/** What is needed of the model that drew. */
export type FinishedModel = Pick<EditingModel, "size" | "restoreDetail">;

/** Whether frames are wanted as the autoencoder alone gives them back, too. */
export function wantsReconstruction({ detail }: FinishingSettings): boolean {
  return detail === "keep";
}

/** What the model makes of a frame; the reconstruction where that is wanted. */
export interface Drawn {
  readonly edited: Tensor;
  readonly reconstruction?: Tensor | undefined;
}

/** A frame and what makes its picture, packed RGB at its own size. */
export interface FinishableFrame<Frame> {
  readonly frame: Frame;
  /** To be called in order, once. */
  readonly finish: () => Uint8Array;
}

/**
 * What becomes of a clip's drawn pictures, group by group: their source's detail is given back, their flicker taken out, and
 * what is finer than the model's pixels laid over them.
 *
 * Where flicker is taken out, a group's last frames wait for the group behind it.
 */
export class Finishing<Frame extends SourceFrame> {
  readonly #model: FinishedModel;
  readonly #settings: FinishingSettings;
  readonly #options: DeflickerOptions;
  readonly #inTime: FramesInTime;
  #waiting: readonly Frame[] = [];

  constructor(model: FinishedModel, settings: FinishingSettings, options = DEFLICKER) {
    this.#model = model;
    this.#settings = settings;
    this.#options = options;
    this.#inTime = new FramesInTime(options);
  }

  /**
   * A drawn frame in the model's square, detail given back. Takes over `source`, the frame as `fittedSquare` gives it; the
   * result's arrays are its own, and no tensors.
   */
  square(source: Uint8Array, { edited, reconstruction }: Drawn): SquarePicture {
    const { size, restoreDetail } = this.#model;
    if (this.#settings.detail === "off") return { edited: bytesOf(edited), source };
    invariant(reconstruction, "detail is what the autoencoder loses");
    return keepDetail(source, { edited, reconstruction }, { size, restore: restoreDetail });
  }

  /** Takes the clip's next frames, as `square` gives them; hands out, in order, those that can be finished. */
  next(frames: readonly Frame[], pictures: readonly SquarePicture[]): FinishableFrame<Frame>[] {
    if (this.#settings.deflicker === "on") {
      this.#waiting = [...this.#waiting, ...frames];
      return this.#steadied(this.#inTime.next(pictures));
    }
    return frames.map((frame, index) => ({
      frame,
      finish: () => {
        const picture = pictures[index]!;
        const finished = this.#finished(frame, picture);
        freePicture(picture);
        return finished;
      },
    }));
  }

  /** The frames that are left when the clip has ended. */
  rest(): FinishableFrame<Frame>[] {
    return this.#steadied(this.#inTime.rest());
  }

  #steadied(ready: readonly FrameInTime[]): FinishableFrame<Frame>[] {
    const frames = this.#waiting.slice(0, ready.length);
    this.#waiting = this.#waiting.slice(ready.length);
    return frames.map((frame, index) => ({
      frame,
      finish: () => {
        const inTime = ready[index]!;
        const own = inTime.pictures[inTime.at]!;
        const edited = deflickered(inTime, this.#model.size, this.#options);
        const finished = this.#finished(frame, { edited, source: own.source });
        if (edited !== own.edited) freeBytes(edited);
        freeUnseen(inTime, this.#options);
        return finished;
      },
    }));
  }

  /** In an array of its own. */
  #finished(frame: Frame, picture: SquarePicture): Uint8Array {
    const { size } = this.#model;
    if (this.#settings.detail === "keep") return withFinerDetail(frame, picture, size);
    const { edited } = picture;
    const finished = unfitFrame(edited, size, frame);
    return finished === edited ? edited.slice() : finished;
  }
}

function freePicture({ edited, source }: SquarePicture): void {
  for (const bytes of [edited, source]) freeBytes(bytes);
}

/** Frees the first picture that a frame sees, where no later one does. */
function freeUnseen({ pictures, at }: FrameInTime, { reach }: DeflickerOptions): void {
  const [first] = pictures;
  if (first && at === reach) freePicture(first);
}
