import { stripVTControlCharacters } from "node:util";

/** How far a job is. Every consumer of a job's events understands this one. */
export interface Progress {
  readonly type: "progress";
  /** What is being done, e.g. `denoising`. */
  readonly phase: string;
  readonly step?: number;
  readonly steps?: number;
  readonly frame?: number;
  readonly frames?: number;
  /** Seconds until the job is done, as estimated now. */
  readonly etaSeconds?: number;
  /** Further figures of the moment, ready to read: e.g. `loss 0.12`. */
  readonly detail?: string;
}

/** Anything a verb reports: a tag, and whatever else is plain JSON. */
export type CliEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

/** Where text goes, and what the clock says. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Width of the screen; undefined where nobody watches (a file, a pipe). */
  readonly columns: number | undefined;
  /** Milliseconds. */
  readonly now: () => number;
}

/** The process's own streams. Progress goes to stderr: stdout is for results. */
export function processTerminal(): Terminal {
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    columns: process.stderr.isTTY ? process.stderr.columns : undefined,
    now: () => performance.now(),
  };
}

const SCREEN_INTERVAL_MS = 100;
const PLAIN_INTERVAL_MS = 5000;

/**
 * Prints what a verb reports.
 *
 * On a screen, progress is one line that rewrites itself; elsewhere a plain line every 5 s and at
 * each new phase. With `json`, every event is one JSON object per line on stdout and nothing else
 * is printed there.
 */
export class Reporter {
  readonly json: boolean;
  readonly #terminal: Terminal;
  #phase = "";
  #printedAt = -Infinity;
  #lineIsOpen = false;

  constructor({ json = false }: { json?: boolean | undefined }, terminal = processTerminal()) {
    this.json = json;
    this.#terminal = terminal;
  }

  /** Shows how far the job is; too frequent calls are dropped, except with `json`. */
  progress(event: Progress): void {
    if (this.json) return this.#printJson({ ...event });
    const { columns, now, err } = this.#terminal;
    const interval = columns === undefined ? PLAIN_INTERVAL_MS : SCREEN_INTERVAL_MS;
    if (event.phase === this.#phase && now() - this.#printedAt < interval) return;
    this.#phase = event.phase;
    this.#printedAt = now();
    const line = progressLine(event);
    if (columns === undefined) return err(`${line}\n`);
    err(`\r${line.slice(0, columns - 1)}\u001B[K`);
    this.#lineIsOpen = true;
  }

  /** Prints an event: the object itself with `json`, otherwise `text` (nothing if it is absent). */
  event(event: CliEvent, text?: string): void {
    if (this.json) return this.#printJson(event);
    if (text === undefined) return;
    this.end();
    this.#terminal.out(`${text}\n`);
  }

  /** Tells the user something that is no result: on stderr, or as a `warning` event with `json`. */
  warn(message: string): void {
    this.note({ type: "warning", message }, message);
  }

  /** Tells the user something beside the results: `text` on stderr, or the event itself with `json`. */
  note(event: CliEvent, text: string): void {
    if (this.json) return this.#printJson(event);
    this.end();
    this.#terminal.err(`eve: ${text}\n`);
  }

  /** Ends the self-rewriting line, so that what follows starts on a line of its own. */
  end(): void {
    if (this.#lineIsOpen) this.#terminal.err("\n");
    this.#lineIsOpen = false;
  }

  #printJson(event: CliEvent): void {
    this.#terminal.out(`${JSON.stringify(event)}\n`);
  }
}

/** e.g. `denoising · frame 8/16 · step 3/12 · 4 s left`. */
export function progressLine(progress: Progress): string {
  const { phase, step, steps, frame, frames, etaSeconds, detail } = progress;
  const parts = [phase];
  if (frame !== undefined) parts.push(`frame ${counted(frame, frames)}`);
  if (step !== undefined) parts.push(`step ${counted(step, steps)}`);
  if (detail !== undefined) parts.push(detail);
  if (etaSeconds !== undefined) parts.push(`${duration(etaSeconds)} left`);
  return parts.join(" · ");
}

function counted(done: number, all: number | undefined): string {
  return all === undefined ? `${done}` : `${done}/${all}`;
}

/** Seconds for people: `4 s`, `3 min 20 s`, `2 h 05 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const pad = (n: number) => String(n).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))} min`;
}

/** Rows as aligned columns, two spaces apart; numbers to the right, or as texts where a column mixes both. */
export function table(
  rows: readonly (readonly string[])[],
  { numbers = "right" }: { readonly numbers?: "left" | "right" } = {},
): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...rows.map((row) => (row[i] ?? "").length)),
  );
  const cell = (text: string, i: number) =>
    numbers === "right" && /^-?[\d,.]+( [kMGT]?B)?$/.test(text)
      ? text.padStart(widths[i]!)
      : text.padEnd(widths[i]!);
  return rows.map((row) => row.map(cell).join("  ").trimEnd()).join("\n");
}

/** Text for a stream that may be no screen: colours only where they show and are wanted. */
export function coloured(text: string, { isTTY = false }: { isTTY?: boolean | undefined }): string {
  return isTTY && !process.env["NO_COLOR"] ? text : stripVTControlCharacters(text);
}
