import {
  AV_PIX_FMT_RGB24,
  AVERROR_EAGAIN,
  AVERROR_EOF,
  type AVPixelFormat,
} from "node-av/constants";
import { Filter, type FilterContext, FilterGraph, Frame } from "node-av/lib";
import { invariant } from "../../engine/errors.ts";
import { check } from "./media.ts";

/** Converts RGB pictures to 256 colours, with a palette of its own for every picture, for GIF. */
export class PaletteConverter implements Disposable {
  readonly #graph = new FilterGraph();
  readonly #source: FilterContext;
  readonly #sink: FilterContext;
  #count = 0n;

  constructor({ width, height }: { width: number; height: number }) {
    this.#graph.alloc();
    const add = (filter: string, name: string, options: string | null): FilterContext => {
      const definition = Filter.getByName(filter);
      const added = definition && this.#graph.createFilter(definition, name, options);
      invariant(added, `FFmpeg was built without the filter ${filter}`);
      return added;
    };
    const size = `video_size=${width}x${height}:pix_fmt=${AV_PIX_FMT_RGB24}`;
    this.#source = add("buffer", "source", `${size}:time_base=1/100:pixel_aspect=1/1`);
    const split = add("split", "split", null);
    const generate = add("palettegen", "generate", "stats_mode=single:reserve_transparent=0");
    const use = add("paletteuse", "use", "new=1:dither=sierra2_4a");
    this.#sink = add("buffersink", "sink", null);
    check(this.#source.link(0, split, 0), "Building the palette filter");
    check(split.link(0, use, 0), "Building the palette filter");
    check(split.link(1, generate, 0), "Building the palette filter");
    check(generate.link(0, use, 1), "Building the palette filter");
    check(use.link(0, this.#sink, 0), "Building the palette filter");
    check(this.#graph.configSync(), "Building the palette filter");
  }

  /** A paletted frame from packed RGB; the caller disposes it. */
  async fromRgb(
    rgb: Uint8Array,
    { width, height }: { width: number; height: number },
    _format: AVPixelFormat,
    _colour: unknown,
  ): Promise<Frame> {
    const bytes = Buffer.from(rgb.buffer, rgb.byteOffset, rgb.byteLength);
    using picture = Frame.fromVideoBuffer(bytes, {
      width,
      height,
      format: AV_PIX_FMT_RGB24,
      timeBase: { num: 1, den: 100 },
      pts: this.#count++,
    });
    check(await this.#source.buffersrcAddFrame(picture), "Choosing a palette");
    const paletted = new Frame();
    paletted.alloc();
    const received = await this.#sink.buffersinkGetFrame(paletted);
    invariant(
      received !== AVERROR_EAGAIN && received !== AVERROR_EOF,
      "a palette for each picture",
    );
    check(received, "Choosing a palette");
    return paletted;
  }

  [Symbol.dispose](): void {
    this.#graph[Symbol.dispose]();
  }
}
