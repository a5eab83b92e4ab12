import { basename } from "node:path";
import {
  prepareClips,
  type PrepareEvent,
  type PrepareOptions,
} from "../../src/data/clips/prepare.ts";
import { encodeFrames } from "../../src/data/caches/encode-frames.ts";
import type { Autoencoder } from "../../src/models/vae/autoencoder.ts";
import type { ClipFolder } from "./clips.ts";

/** What a preparation told. */
export interface Prepared {
  readonly events: readonly PrepareEvent[];
  /** How often the autoencoder was asked. */
  readonly encoded: number;
}

/** What is prepared where a test says nothing else. */
export interface UsualPreparation extends Pick<PrepareOptions, "videos" | "settings"> {
  readonly autoencoder: Autoencoder;
}

/** A function that prepares into the folder called `name` in `folder`; it stops when `until` says so of an event. */
export function preparer(folder: ClipFolder, { autoencoder, ...usual }: UsualPreparation) {
  return async (
    name: string,
    given: Partial<PrepareOptions> = {},
    until: (event: PrepareEvent) => boolean = () => false,
  ): Promise<Prepared> => {
    const stop = new AbortController();
    const events: PrepareEvent[] = [];
    let encoded = 0;
    const encode: PrepareOptions["encode"] = (frames, size) => {
      encoded++;
      return encodeFrames(autoencoder, frames, size);
    };
    const options = { folder: folder.file(name), ...usual, encode, signal: stop.signal };
    try {
      for await (const event of prepareClips({ ...options, ...given })) {
        events.push(event);
        if (until(event)) stop.abort();
      }
    } catch (error) {
      if (error !== stop.signal.reason) throw error;
    }
    return { events, encoded };
  };
}

/** The videos that were left out, by the names of their files, with the reasons. */
export function skippedOf({ events }: Prepared): string[] {
  return events.flatMap((event) =>
    event.type === "video-skipped" ? [`${basename(event.source)}: ${event.reason}`] : [],
  );
}
