import type { Clock } from "../../src/hub/clock.ts";
import type { Hub } from "../../src/hub/hub.ts";
import { planPull, type Request } from "../../src/hub/plan.ts";
import { pull, type PullEvent, type PullResult } from "../../src/hub/pull.ts";
import { hubSettings } from "../../src/hub/settings.ts";

/** A clock that waits for nothing: waits are over at once and written down; alarms ring when the test says so. */
export class InstantClock implements Clock {
  /** Milliseconds of every wait so far. */
  readonly waits: number[] = [];
  /** Milliseconds that pass between two looks at the clock. */
  step = 0;
  readonly #alarms = new Set<() => void>();
  #now = 0;

  now(): number {
    this.#now += this.step;
    return this.#now;
  }

  date(): number {
    return Date.UTC(2026, 10, 26, 12, 0, 0);
  }

  random(): number {
    return 1;
  }

  async wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.waits.push(milliseconds);
  }

  alarm(_milliseconds: number, ring: () => void) {
    this.#alarms.add(ring);
    return { reset: () => {}, [Symbol.dispose]: () => void this.#alarms.delete(ring) };
  }

  /** Lets every timer run out. */
  ring(): void {
    for (const ring of this.#alarms) ring();
  }
}

/** A hub at this address with this cache, whatever the machine's environment says. */
export function hubAt(
  endpoint: string,
  cache: string,
  environment: Readonly<Record<string, string>> = {},
): Hub & { readonly clock: InstantClock } {
  const settings = hubSettings({
    HF_ENDPOINT: endpoint,
    HF_HUB_CACHE: cache,
    HF_TOKEN_PATH: "/nonexistent/token",
    ...environment,
  });
  return { settings, clock: new InstantClock() };
}

/** Asks for all files of a repository that fit a pattern. */
export const everything = (repository: string, pattern = "*", revision = "main"): Request => ({
  repository,
  revision,
  files: [{ type: "pattern", pattern, isRequired: true }],
});

/** Plans and pulls, and tells all that was said. */
export async function pullAll(
  hub: Hub,
  requests: readonly Request[],
  {
    signal = new AbortController().signal,
    onEvent = () => {},
    parallel = 4,
  }: {
    readonly signal?: AbortSignal;
    readonly onEvent?: (event: PullEvent) => void;
    readonly parallel?: number;
  } = {},
): Promise<{ readonly events: PullEvent[]; readonly result: PullResult }> {
  const plan = await planPull(hub, requests, { signal });
  const events: PullEvent[] = [];
  const running = pull(hub, plan, { signal, parallel });
  for (let next = await running.next(); ; next = await running.next()) {
    if (next.done === true) return { events, result: next.value };
    events.push(next.value);
    onEvent(next.value);
  }
}
