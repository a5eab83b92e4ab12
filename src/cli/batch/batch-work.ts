import type { EditEvent } from "../../editing/report/events.ts";
import type { EditorChoice } from "../edit/open-editor.ts";
import type { Failure } from "../failure.ts";
import type { BatchLine } from "./batch-lines.ts";
import type { BatchOutcome } from "./batch-outcome.ts";

/** Does a line, and tells what happens on the way. */
export type DoLine = (line: BatchLine, tell: (event: EditEvent) => void) => Promise<BatchOutcome>;

/** Which model edits, and where: what a process is told. */
export type BatchChoice = Pick<EditorChoice, "model" | "loras" | "loraStrength" | "device">;

/** Why a process cannot load the model: an error's class does not come through to the one that asks. */
export interface Refusal extends Pick<Failure, "exitCode"> {
  readonly sentence: string;
}

/** Has a process load the model. */
export type OpenThere = (choice: BatchChoice) => Promise<Refusal | undefined>;

/** What a process does for the one that asks: a line, telling events on the way. */
export type DoLineThere = (choice: BatchChoice, line: BatchLine) => Promise<BatchOutcome>;
