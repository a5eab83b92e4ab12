import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeContactSheet, type SheetRow } from "../../data/image/contact-sheet.ts";
import { TASKS } from "../../data/world/tasks.ts";
import type { MethodName } from "../methods/method-names.ts";
import type { ClipScored } from "./test-clip.ts";

/** Clips of a task on its sheet. */
const CLIPS = 3;
/** Most frames of a clip in a row. */
const COLUMNS = 8;

/** Collects clips for a sheet of each task: input, truth and edited over time. */
export class ContactSheets {
  readonly #methods: readonly MethodName[];
  readonly #size: number;
  readonly #clips: ClipScored[] = [];

  /** Shows the results of some methods below each other; `size` is the side of a frame in pixels. */
  constructor(methods: readonly MethodName[], size: number) {
    this.#methods = methods;
    this.#size = size;
  }

  /** Keeps the first clips of each task. */
  add(clip: ClipScored): void {
    if (this.#methods.includes(clip.method) && clip.index < CLIPS) this.#clips.push(clip);
  }

  /** Writes `folder/<task>.png` for each task that has clips; returns the paths. */
  async write(folder: string): Promise<string[]> {
    await mkdir(folder, { recursive: true });
    const paths: string[] = [];
    for (const task of TASKS) {
      const rows = this.#clips
        .filter((clip) => clip.task === task)
        // Clips that are edited side by side come in any order; each one's methods in that of the sheet
        .toSorted((a, b) => a.index - b.index)
        .flatMap((clip) => this.#rows(clip));
      if (rows.length === 0) continue;
      const path = join(folder, `${task}.png`);
      await writeContactSheet(path, rows);
      paths.push(path);
    }
    return paths;
  }

  /** Input and truth stand above the first method's row. */
  #rows({ instruction, method, scores, input, truth, output }: ClipScored): SheetRow[] {
    const verdict = [
      scores.edited ? "edited" : "not edited",
      scores.kept ? "kept" : "not kept",
      ...(scores.steady === true ? ["steady"] : []),
    ].join(", ");
    const result = { label: `${method}: ${verdict}`, images: this.#images(output) };
    if (method !== this.#methods[0]) return [result];
    return [
      { label: `"${instruction}" – input`, images: this.#images(input) },
      { label: "truth", images: this.#images(truth) },
      result,
    ];
  }

  #images(frames: readonly Uint8Array[]): SheetRow["images"] {
    const stride = Math.ceil(frames.length / COLUMNS);
    return frames
      .filter((_, frame) => frame % stride === 0)
      .map((rgb) => ({ rgb, width: this.#size, height: this.#size }));
  }
}
