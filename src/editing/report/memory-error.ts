import { UserError } from "../../engine/errors.ts";

/** An edit that the machine's memory is too small for. */
export class MemoryError extends UserError {
  /** What the edit needs besides what the process holds already, and what is free, in bytes. */
  readonly needed: number;
  readonly available: number;

  constructor(sentence: string, needed: number, available: number) {
    super(sentence);
    this.needed = needed;
    this.available = available;
  }
}
