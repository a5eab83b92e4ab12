import type { Receipt } from "../report/receipt.ts";
import type { EditedFrame } from "../settings/edited-frame.ts";

/** Shows input and result of an edit together; disposed before it is written, it leaves no file. */
export interface Comparison extends AsyncDisposable {
  /** Takes the next frame, and is done with its pictures when the promise resolves. */
  add(frame: EditedFrame): Promise<void>;
  /** Writes what the frames came to; returns a sentence for each thing that it could not show. */
  write(receipt: Receipt): Promise<readonly string[]>;
}
