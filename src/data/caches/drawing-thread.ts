import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import { invariant } from "../../engine/errors.ts";
import type { DrawItem } from "./drawn-item.ts";

/** What a thread is asked for: items `first` … `first + count` − 1 of one kind. */
export interface DrawingOrder {
  readonly number: number;
  readonly kind: unknown;
  readonly first: number;
  readonly count: number;
  readonly size: number;
}

/** What it answers: all frames of all items one after another, and the items' words. */
export interface DrawingAnswer {
  readonly number: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly framesPerItem: number;
  readonly texts: readonly unknown[];
}

invariant(parentPort, "this file runs as a thread");
const port = parentPort;
// the module that draws, and nothing else, is loaded: distillation's threads cannot draw an edit
const { draw }: { draw: DrawItem<unknown> } = await import(z.string().parse(workerData));
port.on("message", ({ number, kind, first, count, size }: DrawingOrder) => {
  const items = Array.from({ length: count }, (_, i) => draw(kind, first + i, size));
  const frames = items.flatMap((item) => item.frames);
  const bytes = new Uint8Array(frames.length * size * size * 3);
  frames.forEach((frame, i) => bytes.set(frame, i * frame.length));
  const answer: DrawingAnswer = {
    number,
    bytes,
    framesPerItem: frames.length / count,
    texts: items.map(({ text }) => text),
  };
  port.postMessage(answer, [bytes.buffer]);
});
