import type { ResolvedSettings } from "../settings/settings.ts";
import type { Advice, Changes } from "./changes.ts";
import type { EditEstimate } from "./estimate.ts";
import type { EditProgress } from "./progress.ts";
import type { Receipt } from "./receipt.ts";

/** An edit begins: what it works on, and where. */
export interface EditStart {
  readonly type: "start";
  /** Frames of the clip; null where only decoding would tell. */
  readonly frames: number | null;
  /** Pixels, as shown. */
  readonly width: number;
  readonly height: number;
  /** `cpu`, `cuda:0` */
  readonly device: string;
  /** What convolutions and matrix products are computed in: `bfloat16` or `float32`. */
  readonly precision: string;
  readonly threads: number;
  readonly settings: ResolvedSettings;
}

/** Something is not as it was asked for, or not as it should be: one sentence. */
export interface EditWarning {
  readonly type: "warning";
  readonly message: string;
  /** What may help, one or the other; absent where no other setting does. */
  readonly advice?: readonly Advice[];
}

/** What an edit came to. */
export interface EditResult {
  /** The file or folder written, if one was asked for. */
  readonly output?: string;
  /** Frames of the result, copied ones included. */
  readonly frames: number;
  /** Pixels, as shown. */
  readonly width: number;
  readonly height: number;
  /** Audio streams copied. */
  readonly audioStreams: number;
  /** How long it took, loading not counted. */
  readonly seconds: number;
  /** What the edit was made with, every default settled. */
  readonly settings: ResolvedSettings;
  /** What differs from the source, and how steadily. */
  readonly changes: Changes;
  /** How the result came to be; beside `output` as `<output>.json`. */
  readonly receipt: Receipt;
}

/** An edit is done. */
export interface EditEnd {
  readonly type: "end";
  readonly result: EditResult;
}

/** What an edit tells while it runs, in the order in which it happens; `end` comes last. */
export type EditEvent = EditStart | EditEstimate | EditProgress | EditWarning | EditEnd;
