import {
  byteDifference,
  bytesOf,
  byteTensor,
  freeBytes,
  largestByte,
} from "../../data/byte-pictures.ts";
import { invariant } from "../../engine/errors.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { EditingModel } from "../settings/model.ts";
import type { ResolvedSettings } from "../settings/settings.ts";
import {
  DEFLICKER,
  deflickered,
  type DeflickerOptions,
  type FrameInTime,
  FramesInTime,
  type SquarePicture,
} from "./deflicker.ts";
import { keepDetail, unfitted } from "./detail.ts";

/** What is done to pictures that are drawn. */
export type FinishingSettings = Pick<ResolvedSettings, "detail" | "deflicker">;

/** What is needed of the model that drew. */
export type FinishedModel = Pick<EditingModel, "size" | "restoreDetail">;

/** Whether frames are wanted as the autoencoder alone gives them back, too. */
export function wantsReconstruction({ detail, deflicker }: FinishingSettings): boolean {
  return detail === "keep" || deflicker === "on";
}

/** A frame at its own size, packed RGB. */
export interface SourceFrame {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** What the model makes of a frame, in its own size: uint8 `[size · size · 3]`. */
export interface Squares {
  readonly edited: Tensor;
  /** The frame there and back through the autoencoder, where that is wanted. */
  readonly reconstruction: Tensor | undefined;
}

/** A frame and what makes its picture, packed RGB at its own size. */
export interface FinishableFrame<Frame> {
  readonly frame: Frame;
  /** To be called in order, once, before the tensors of the frame's group are freed. */
  readonly finish: () => Uint8Array;
}

/**
 * What becomes of a clip's drawn pictures, group by group: their flicker is taken out, and their source's detail given back.
 *
 * Where flicker is taken out, a group's last frames wait for the group behind it; then they hold no tensors.
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

  /** Takes the clip's next frames; hands out, in order, those that can be finished. */
  next(frames: readonly Frame[], squares: readonly Squares[]): FinishableFrame<Frame>[] {
    if (this.#settings.deflicker === "on") {
      this.#waiting = [...this.#waiting, ...frames];
      return this.#steadied(this.#inTime.next(squares.map(pictureOf)));
    }
    return frames.map((frame, index) => ({
      frame,
      finish: () => this.#finished(frame, squares[index]!),
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
        using _ = tensorScope();
        const inTime = ready[index]!;
        const picture = deflickered(inTime, this.#model.size, this.#options);
        const carried = inTime.pictures[inTime.at]!.reconstruction;
        const reconstruction = byteTensor(carried);
        const edited = picture === carried ? reconstruction : byteTensor(picture);
        freeUnseen(inTime, this.#options);
        return this.#finished(frame, { edited, reconstruction });
      },
    }));
  }

  #finished(
    { rgb: source, width, height }: Frame,
    { edited, reconstruction }: Squares,
  ): Uint8Array {
    using _ = tensorScope();
    const { size, restoreDetail } = this.#model;
    if (this.#settings.detail === "off") return bytesOf(unfitted(edited, { width, height, size }));
    invariant(reconstruction, "detail is what the autoencoder loses");
    return keepDetail({ source, width, height, size, edited, reconstruction }, restoreDetail);
  }
}

/** Its bytes; of a frame that the edit leaves as it is they are one array. */
function pictureOf({ edited, reconstruction }: Squares): SquarePicture {
  invariant(reconstruction, "flicker is told by what the source does");
  using _ = tensorScope();
  const carried = bytesOf(reconstruction);
  const isChanged = largestByte(byteDifference(edited, reconstruction)) > 0;
  return { edited: isChanged ? bytesOf(edited) : carried, reconstruction: carried };
}

/** Frees the first picture that a frame sees, where no later one does. */
function freeUnseen({ pictures, at }: FrameInTime, { reach }: DeflickerOptions): void {
  const [first] = pictures;
  if (first && at === reach) [first.edited, first.reconstruction].forEach(freeBytes);
}
