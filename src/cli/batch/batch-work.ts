import type { EditEvent } from "../../editing/report/events.ts";
import type { EditorChoice } from "../edit/open-editor.ts";
import type { Failure } from "../failure.ts";
import type { BatchLine } from "./batch-lines.ts";
import type { BatchOutcome } from "./batch-outcome.ts";

/** Does a line, and tells what happens on the way. */
export type DoLine = (line: BatchLine, tell: (event: EditEvent) => void) => Promise<BatchOutcome>;

/** Which model edits, and where: what a process is told. */
export type BatchChoice = Pick<EditorChoice, "model" | "lora" | "device">;

/** Has a process load the model; what is wrong with it, if it cannot. */
export type OpenThere = (choice: BatchChoice) => Promise<Failure | undefined>;

/** What a process does for the one that asks: a line, telling events on the way. */
export type DoLineThere = (choice: BatchChoice, line: BatchLine) => Promise<BatchOutcome>;
