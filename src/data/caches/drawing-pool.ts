import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { DrawingAnswer, DrawingOrder } from "./drawing-thread.ts";
import type { DrawItem, DrawnItem } from "./drawn-item.ts";

/** Items of one order to a thread. */
const ORDER = 32;
/** So few items are drawn sooner than threads have started. */
const FEW = 128;

interface Waiting {
  readonly resolve: (answer: DrawingAnswer) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Threads that draw items of the world while the caller's thread encodes or trains.
 *
 * They start with the first order that is worth it, one for every core but the caller's, and end when the pool is
 * disposed of. What is drawn does not depend on their number.
 */
export class DrawingPool<Kind> implements Disposable {
  readonly #threads: Worker[] = [];
  readonly #waiting = new Map<number, Waiting>();
  #orders = 0;
  readonly #draw: DrawItem<Kind>;
  readonly #module: string;

  /** `module`: the file that exports `draw` under this name. */
  constructor(draw: DrawItem<Kind>, module: URL) {
    this.#draw = draw;
    this.#module = module.href;
  }

  /** Items `first` … `first + count` − 1, in order. */
  async draw(kind: Kind, first: number, count: number, size: number): Promise<DrawnItem[]> {
    if (count <= FEW)
      return Array.from({ length: count }, (_, i) => this.#draw(kind, first + i, size));
    const answers: Promise<DrawingAnswer>[] = [];
    for (let done = 0; done < count; done += ORDER)
      answers.push(
        this.#order({ kind, first: first + done, count: Math.min(ORDER, count - done), size }),
      );
    return (await Promise.all(answers)).flatMap((answer) => itemsOf(answer, size));
  }

  [Symbol.dispose](): void {
    this.#end(new Error("the drawing pool is closed"));
  }

  /** Ends all threads, for `reason` to whoever waits; the next order starts new ones. */
  #end(reason: unknown): void {
    for (const thread of this.#threads) void thread.terminate();
    this.#threads.length = 0;
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }

  async #order(order: Omit<DrawingOrder, "number">): Promise<DrawingAnswer> {
    if (this.#threads.length === 0) this.#start();
    const number = this.#orders++;
    const thread = this.#threads[number % this.#threads.length]!;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      thread.postMessage({ number, ...order } satisfies DrawingOrder);
    });
  }

  #start(): void {
    const count = Math.max(1, availableParallelism() - 1);
    for (let i = 0; i < count; i++) {
      const thread = new Worker(new URL("drawing-thread.ts", import.meta.url), {
        workerData: this.#module,
      });
      thread.on("message", (answer: DrawingAnswer) => {
        this.#waiting.get(answer.number)?.resolve(answer);
        this.#waiting.delete(answer.number);
      });
      thread.on("error", (error) => this.#end(error));
      this.#threads.push(thread);
    }
  }
}

function itemsOf({ bytes, framesPerItem, texts }: DrawingAnswer, size: number): DrawnItem[] {
  const frameBytes = size * size * 3;
  return texts.map((text, item) => {
    const frames = Array.from({ length: framesPerItem }, (_, f) => {
      const start = (item * framesPerItem + f) * frameBytes;
      return bytes.subarray(start, start + frameBytes);
    });
    return { frames, text };
  });
}
