import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { everything, hubAt, pullAll } from "../../test/support/hub-client.ts";
import { content, HubServer, sha256 } from "../../test/support/hub-server.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { RepositoryCache } from "./cache.ts";
import { systemClock } from "./clock.ts";
import { planPull } from "./plan.ts";
import { pull } from "./pull.ts";

const commit = "c0ffee".padEnd(40, "0");
const SIZE = 2_000_000;
const bytes = content(SIZE, 7);
const repository = { name: "owner/net", commit, files: { "model.safetensors": bytes } };
const model = everything("owner/net");
const folder = temporaryFolder();
let caches = 0;

async function setUp() {
  const server = await HubServer.start(repository);
  const hub = hubAt(server.endpoint, join(folder, `cache-${caches++}`));
  const cache = new RepositoryCache("owner/net", hub.settings);
  const digest = { algorithm: "sha256", hex: sha256(bytes) } as const;
  return {
    hub,
    server,
    partial: cache.partial(digest),
    blob: cache.blob(digest),
    lock: cache.lock(digest),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

describe("a pull whose process was killed", () => {
  const script = fileURLToPath(new URL("../../test/support/pull-and-die.ts", import.meta.url));

  test.each([0, 1, 0.3 * SIZE, 0.8 * SIZE, SIZE])(
    "after %i bytes goes on from there, and the hash is right",
    async (killedAt) => {
      await using t = await setUp();
      // no more is sent: the process dies with exactly this on its disk, or on the way there
      t.server.fault = ({ host }) =>
        host === "cdn" ? { type: "hang", after: Math.max(1, killedAt) } : undefined;
      const { endpoint, cache } = t.hub.settings;
      const child = spawn(process.execPath, [script, endpoint, cache, "owner/net", `${killedAt}`], {
        stdio: "inherit",
      });
      const [, signal] = (await once(child, "exit")) as [number | null, string | null];
      expect(signal).toBe("SIGKILL");
      const kept = existsSync(t.blob) ? SIZE : (await stat(t.partial)).size;
      expect(kept).toBeGreaterThanOrEqual(killedAt);
      t.server.fault = () => undefined;
      const { result, events } = await pullAll(t.hub, [model]);
      expect(result.receivedBytes).toBe(SIZE - kept);
      expect(sha256(await readFile(t.blob))).toBe(sha256(bytes));
      expect(events.map(({ type }) => type)).not.toContain("waiting"); // the dead hold no lock
      expect(existsSync(t.lock)).toBe(false);
      expect(existsSync(t.partial)).toBe(false);
    },
  );
});

describe("a pull that is stopped", () => {
  test("ends at once with the reason, keeps its bytes, and goes on the next time", async () => {
    await using t = await setUp();
    t.hub.clock.step = 1000;
    t.server.fault = ({ host }) => (host === "cdn" ? { type: "hang", after: 500_000 } : undefined);
    const controller = new AbortController();
    const reason = new Error("stopped by SIGINT");
    const stopped = pullAll(t.hub, [model], {
      signal: controller.signal,
      onEvent: (event) => {
        if (event.type === "progress" && event.bytes === 500_000) controller.abort(reason);
      },
    });
    await expect(stopped).rejects.toBe(reason);
    expect((await stat(t.partial)).size).toBe(500_000);
    expect(existsSync(t.lock)).toBe(false);
    t.server.fault = () => undefined;
    const { result } = await pullAll(t.hub, [model]);
    expect(result.receivedBytes).toBe(SIZE - 500_000);
    expect(sha256(await readFile(t.blob))).toBe(sha256(bytes));
  });

  test("by whoever leaves the iteration leaves no job behind", async () => {
    await using t = await setUp();
    t.hub.clock.step = 1000;
    t.server.fault = ({ host }) => (host === "cdn" ? { type: "hang", after: 500_000 } : undefined);
    const { signal } = new AbortController();
    for await (const event of pull(t.hub, await planPull(t.hub, [model], { signal }), { signal })) {
      if (event.type === "progress" && event.bytes > 0) break;
    }
    expect(existsSync(t.lock)).toBe(false);
  });

  test("while it waits for the next try stops waiting", async () => {
    const controller = new AbortController();
    const reason = new Error("stopped");
    const waiting = systemClock.wait(1e9, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(systemClock.wait(1e9, controller.signal)).rejects.toBe(reason);
  });
});

describe("two pulls of one file", () => {
  test("fetch it once: the second waits and finds it", async () => {
    await using t = await setUp();
    t.server.fault = ({ host }) => (host === "cdn" ? { type: "hang", after: 500_000 } : undefined);
    const { endpoint, cache } = t.hub.settings;
    let waits = 0;
    const onEvent = ({ type }: { readonly type: string }) => {
      if (type !== "waiting") return;
      waits++;
      t.server.release();
    };
    const results = await Promise.all(
      [t.hub, hubAt(endpoint, cache)].map((hub) => pullAll(hub, [model], { onEvent })),
    );
    expect(waits).toBe(1);
    const received = results.map(({ result }) => result.receivedBytes);
    expect(new Set(received)).toEqual(new Set([0, SIZE]));
    expect(t.server.downloads).toHaveLength(1);
  });

  test("a lock of another machine is respected as long as it shows signs of life", async () => {
    await using t = await setUp();
    await mkdir(dirname(t.lock), { recursive: true });
    await writeFile(t.lock, JSON.stringify({ pid: 1, host: "elsewhere", id: "theirs" }));
    const controller = new AbortController();
    const stopped = pullAll(t.hub, [model], {
      signal: controller.signal,
      onEvent: ({ type }) => type === "waiting" && controller.abort(new Error("stopped")),
    });
    await expect(stopped).rejects.toThrow("stopped");
    expect(t.server.downloads).toEqual([]);
    expect(await readFile(t.lock, "utf8")).toContain("elsewhere");
  });

  test.each([
    ["was not touched for a minute", { pid: 1, host: "elsewhere", id: "theirs" }],
    ["is of a process that has died", { pid: 2 ** 22 + 1, host: hostname(), id: "theirs" }],
    ["is empty", {}],
  ])("a lock that %s is taken over", async (_, owner) => {
    await using t = await setUp();
    t.hub.clock.step = 7000; // every look at the clock is seven seconds later
    await mkdir(dirname(t.lock), { recursive: true });
    await writeFile(t.lock, JSON.stringify(owner));
    const { result } = await pullAll(t.hub, [model]);
    expect(result.receivedBytes).toBe(SIZE);
    expect(await readdir(dirname(t.lock))).toEqual([]);
  });
});
