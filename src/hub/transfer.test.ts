import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { everything, hubAt, pullAll } from "../../test/support/hub-client.ts";
import {
  content,
  type Fault,
  HubServer,
  type Seen,
  sha256,
} from "../../test/support/hub-server.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { DataError } from "../engine/errors.ts";
import { HubError } from "./errors.ts";
import { RepositoryCache } from "./cache.ts";
import { type PlannedRepository, planPull } from "./plan.ts";
import { pull } from "./pull.ts";

const commit = "c0ffee".padEnd(40, "0");
const SIZE = 400_000;
const bytes = content(SIZE, 3);
const repository = {
  name: "owner/net",
  commit,
  files: { "model.safetensors": bytes, "config.json": Buffer.from('{"a":1}\n') },
};
const model = everything("owner/net", "model.safetensors");
const folder = temporaryFolder();
let caches = 0;

/** A server, a client with an empty cache, and where the model's bytes end up. */
async function setUp() {
  const server = await HubServer.start(repository);
  const hub = hubAt(server.endpoint, join(folder, `cache-${caches++}`));
  const cache = new RepositoryCache("owner/net", hub.settings);
  const digest = { algorithm: "sha256", hex: sha256(bytes) } as const;
  return {
    hub,
    server,
    cache,
    partial: cache.partial(digest),
    placed: join(cache.snapshot(commit), "model.safetensors"),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** What the server does at each request for contents in turn; nothing wrong after the last. */
function faults(server: HubServer, ...planned: readonly (Fault | undefined)[]): void {
  const left = [...planned];
  server.fault = ({ host }) => (host === "cdn" ? left.shift() : undefined);
}

/** How much of what was sent before a cut arrives is up to the system. */
const someRange = expect.stringMatching(/^bytes=[1-9]\d*-$/) as string;

const ranges = (seen: readonly Seen[]) => seen.map(({ headers }) => headers["range"]);

describe("a download that is cut", () => {
  test.each([1, 2, 3])("at random bytes (seed %i) goes on until it is whole", async (seed) => {
    await using t = await setUp();
    const random = content(200, seed);
    let i = 0;
    t.server.fault = ({ host }) =>
      host === "cdn" && random[i++]! < 230 ? { type: "cut", after: random[i++]! * 500 } : undefined;
    const { result, events } = await pullAll(t.hub, [model]);
    expect(sha256(await readFile(t.placed))).toBe(sha256(bytes));
    expect(events.some(({ type }) => type === "retry")).toBe(true);
    expect(result.receivedBytes).toBe(SIZE); // no byte came twice
    const [first, ...rest] = ranges(t.server.downloads);
    expect(first).toBeUndefined();
    expect(rest.length).toBeGreaterThan(0);
  });

  test("goes on behind the last byte, at an address that is asked for anew", async () => {
    await using t = await setUp();
    faults(t.server, { type: "cut", after: 100_000 });
    await pullAll(t.hub, [model]);
    expect(ranges(t.server.downloads)).toEqual([undefined, someRange]);
    expect(new Set(t.server.downloads.map(({ url }) => url)).size).toBe(2);
  });

  test("begins again where the server sends the whole file instead of the rest", async () => {
    await using t = await setUp();
    faults(t.server, { type: "cut", after: 100_000 }, { type: "ignore-range" });
    const { result, events } = await pullAll(t.hub, [model]);
    expect(sha256(await readFile(t.placed))).toBe(sha256(bytes));
    expect(result.receivedBytes).toBeGreaterThan(SIZE);
    expect(events.at(-1)).toMatchObject({ bytes: SIZE, totalBytes: SIZE });
  });

  test.each<[string, Fault]>([
    [
      "another place",
      { type: "headers", headers: { "content-range": `bytes 5-${SIZE - 1}/${SIZE}` } },
    ],
    [
      "another file",
      { type: "headers", headers: { "content-range": "bytes 100000-199999/200000" } },
    ],
    ["nowhere", { type: "status", status: 416 }],
  ])("begins again where the server goes on at %s", async (_, fault) => {
    await using t = await setUp();
    faults(t.server, { type: "cut", after: 100_000 }, fault);
    await pullAll(t.hub, [model]);
    expect(sha256(await readFile(t.placed))).toBe(sha256(bytes));
    expect(ranges(t.server.downloads)).toEqual([undefined, someRange, undefined]);
  });

  test("and makes no way is given up, with its bytes kept for the next time", async () => {
    await using t = await setUp();
    let cuts = 0;
    t.server.fault = ({ host }) =>
      host === "cdn" ? { type: "cut", after: cuts++ === 0 ? 100_000 : 0 } : undefined;
    await expect(pullAll(t.hub, [model])).rejects.toThrow(
      /^owner\/net: model.safetensors: .* \(tried 6 times\); what has arrived is kept: run the same command again$/,
    );
    const { size } = await stat(t.partial);
    expect(size).toBeGreaterThan(0);
    t.server.fault = () => undefined;
    const { result } = await pullAll(t.hub, [model]);
    expect(result.receivedBytes).toBe(SIZE - size);
    expect(sha256(await readFile(t.placed))).toBe(sha256(bytes));
  });
});

describe("a server that", () => {
  test("lets its addresses expire is asked for others", async () => {
    await using t = await setUp();
    faults(
      t.server,
      { type: "status", status: 403 },
      { type: "cut", after: 50_000 },
      { type: "status", status: 401 },
    );
    const { events } = await pullAll(t.hub, [model]);
    expect(sha256(await readFile(t.placed))).toBe(sha256(bytes));
    const reasons = events.flatMap((event) => (event.type === "retry" ? event.reason : []));
    expect(reasons[0]).toMatch(/^127.0.0.1:\d+ refuses the address that the hub gave \(403\)$/);
  });

  test("lets an address expire before it is used is asked for another", async () => {
    await using t = await setUp();
    let isFirst = true;
    t.server.fault = ({ host }) => {
      if (host === "cdn" && isFirst) t.server.expireAddresses();
      if (host === "cdn") isFirst = false;
      return undefined;
    };
    await pullAll(t.hub, [model]);
    expect(sha256(await readFile(t.placed))).toBe(sha256(bytes));
  });

  test("is busy is left alone as long as it asks", async () => {
    await using t = await setUp();
    const busy = (status: number, after: string): Fault => ({
      type: "status",
      status,
      headers: { "retry-after": after },
    });
    faults(t.server, busy(429, "70"), busy(503, "Thu, 26 Nov 2026 12:02:00 GMT"), {
      type: "status",
      status: 500,
    });
    await pullAll(t.hub, [model]);
    expect(t.hub.clock.waits).toEqual([70_000, 120_000, 4000]);
    expect(sha256(await readFile(t.placed))).toBe(sha256(bytes));
  });

  test("offers another content than it listed is not believed", async () => {
    await using t = await setUp();
    const plan = await planPull(t.hub, [model], { signal: new AbortController().signal });
    t.server.fault = ({ method }) =>
      method === "HEAD"
        ? { type: "headers", headers: { "x-linked-etag": `"${"0".repeat(64)}"` } }
        : undefined;
    await expect(finish(t.hub, plan)).rejects.toThrow(
      new DataError(
        `owner/net: model.safetensors at c0ffee000000: the list says ${sha256(bytes).slice(0, 12)}…, the server now offers 000000000000…: try again later, or with another HF_ENDPOINT`,
      ),
    );
    expect(await blobs(t.cache)).toEqual([]);
  });

  test.each([
    [
      "for another commit",
      { "x-repo-commit": "d".repeat(40) },
      /config.json at c0ffee000000: the server answers for commit dddddddddddd: try again later/,
    ],
    [
      "with another content of a small file",
      { etag: `"${"0".repeat(40)}"` },
      /config.json at c0ffee000000: the list says .*, the server now offers 000000000000…/,
    ],
    [
      "with another length of a small file",
      { "content-length": "7" },
      /the server offers 7 bytes of config.json, the list says 8 \(tried 4 times\)/,
    ],
  ])("answers %s is not believed", async (_, headers, sentence) => {
    await using t = await setUp();
    t.server.fault = ({ method }) => (method === "HEAD" ? { type: "headers", headers } : undefined);
    await expect(pullAll(t.hub, [everything("owner/net", "config.json")])).rejects.toThrow(
      sentence,
    );
    expect(await blobs(t.cache)).toEqual([]);
  });

  const another: Fault = { type: "cut", after: 200_000, content: content(SIZE, 99) };

  test("changes the content between two tries is asked for all of it once more", async () => {
    await using t = await setUp();
    faults(t.server, another);
    const { events } = await pullAll(t.hub, [model]);
    expect(sha256(await readFile(t.placed))).toBe(sha256(bytes));
    expect(ranges(t.server.downloads)).toEqual([undefined, someRange, undefined]);
    expect(events.at(-1)).toMatchObject({ bytes: SIZE, totalBytes: SIZE });
  });

  test("keeps changing the content gets nothing mixed into the cache", async () => {
    await using t = await setUp();
    faults(t.server, another, undefined, another);
    await expect(pullAll(t.hub, [model])).rejects.toThrow(DataError);
    expect(ranges(t.server.downloads)).toEqual([undefined, someRange, undefined, someRange]);
    expect(await blobs(t.cache)).toEqual([]);
  });

  test.each<[string, Fault]>([
    ["more bytes than it has", { type: "headers", headers: { "content-length": `${SIZE + 1}` } }],
    ["fewer bytes than it has", { type: "headers", headers: { "content-length": `${SIZE - 1}` } }],
    ["a login page", { type: "replace", content: Buffer.from("<html>Log in") }],
  ])("announces %s is asked again", async (_, fault) => {
    await using t = await setUp();
    faults(t.server, fault);
    const { events } = await pullAll(t.hub, [model]);
    const reasons = events.flatMap((event) => (event.type === "retry" ? event.reason : []));
    expect(reasons).toEqual([
      expect.stringMatching(/announces \d+ bytes where 400000 are missing$/),
    ]);
    expect(sha256(await readFile(t.placed))).toBe(sha256(bytes));
  });

  test.each<[string, Fault, RegExp]>([
    [
      "sends more bytes than listed",
      { type: "chunked", content: Buffer.concat([bytes, Buffer.from("more")]) },
      /sends more than the 400000 bytes of the list \(tried 6 times\)/,
    ],
    [
      "ends too early",
      { type: "chunked", content: Buffer.of() },
      /ended after 0 of 400000 bytes \(tried 6 times\)/,
    ],
    [
      "never announces the right length",
      { type: "replace", content: Buffer.from("<html>Log in") },
      /announces 12 bytes where 400000 are missing \(tried 6 times\)/,
    ],
  ])("%s, again and again, gets nothing into the cache", async (_, fault, sentence) => {
    await using t = await setUp();
    t.server.fault = ({ host }) => (host === "cdn" ? fault : undefined);
    const pulling = pullAll(t.hub, [model]);
    await expect(pulling).rejects.toThrow(sentence);
    await expect(pulling).rejects.toBeInstanceOf(HubError);
    expect(await blobs(t.cache)).toEqual([]);
  });

  test("names another length than its list is not believed", async () => {
    await using t = await setUp();
    t.server.fault = ({ method, url }) =>
      method === "HEAD" && url.endsWith("model.safetensors")
        ? { type: "headers", headers: { "x-linked-size": "7" } }
        : undefined;
    await expect(pullAll(t.hub, [model])).rejects.toThrow(
      /the server offers 7 bytes of model.safetensors, the list says 400000 \(tried 4 times\)/,
    );
  });

  test("stops sending without a word is asked again", async () => {
    await using t = await setUp();
    t.hub.clock.step = 1000;
    faults(t.server, { type: "hang", after: 100_000 });
    const { events } = await pullAll(t.hub, [model], {
      onEvent: (event) => {
        if (event.type === "progress" && event.bytes === 100_000) t.hub.clock.ring();
      },
    });
    expect(events).toContainEqual(
      expect.objectContaining({
        type: "retry",
        reason: expect.stringMatching(/did not answer for 10 s$/) as string,
      }),
    );
    expect(sha256(await readFile(t.placed))).toBe(sha256(bytes));
  });

  test("does not answer at all is asked again", async () => {
    await using t = await setUp();
    let isFirst = true;
    t.server.fault = ({ url }) => {
      if (!isFirst || !url.includes("/tree/")) return undefined;
      isFirst = false;
      setImmediate(() => t.hub.clock.ring());
      return { type: "silent" };
    };
    await pullAll(t.hub, [model]);
    expect(sha256(await readFile(t.placed))).toBe(sha256(bytes));
    expect(t.hub.clock.waits).toEqual([1000]);
  });

  test.each([405, 501])("knows no HEAD, says %i, is asked for one byte instead", async (status) => {
    await using t = await setUp();
    t.server.fault = ({ method }) => (method === "HEAD" ? { type: "status", status } : undefined);
    await pullAll(t.hub, [everything("owner/net")]);
    expect(sha256(await readFile(t.placed))).toBe(sha256(bytes));
    expect(ranges(t.server.seen.filter(({ url }) => url.includes("/resolve/")))).toContain(
      "bytes=0-0",
    );
  });
});

describe("damaged bytes", () => {
  const damaged = Buffer.from(bytes);
  damaged[SIZE - 5]! ^= 1;

  test("are one clear error, and nothing of them stays", async () => {
    await using t = await setUp();
    faults(t.server, { type: "replace", content: damaged });
    await expect(pullAll(t.hub, [model])).rejects.toThrow(
      /^owner\/net: model.safetensors arrived damaged: its sha256 is not the .{12}… that the list of commit c0ffee000000 names; nothing was kept: run the same command again/,
    );
    expect(await blobs(t.cache)).toEqual([]);
    expect(await readdir(t.cache.folder)).not.toContain("snapshots");
    expect(t.server.downloads).toHaveLength(1);
  });

  test("of a small file are found by git's hash", async () => {
    await using t = await setUp();
    t.server.fault = ({ method, url }) =>
      method === "GET" && url.includes("/resolve/")
        ? { type: "replace", content: Buffer.from('{"a":2}\n') }
        : undefined;
    await expect(pullAll(t.hub, [everything("owner/net", "config.json")])).rejects.toThrow(
      /config.json arrived damaged: its git-sha1 is not/,
    );
    expect(await blobs(t.cache)).toEqual([]);
  });

  test.each([
    ["a part", 100_000],
    ["all bytes", SIZE],
    ["too many bytes", SIZE + 10],
  ])("left by an earlier process (%s) are fetched once more", async (_, length) => {
    await using t = await setUp();
    await mkdir(dirname(t.partial), { recursive: true });
    await writeFile(t.partial, content(length, 5));
    await pullAll(t.hub, [model]);
    expect(sha256(await readFile(t.placed))).toBe(sha256(bytes));
  });
});

test("a file that fails stops no other, and is named in the end", async () => {
  await using t = await setUp();
  t.server.fault = ({ host }) => (host === "cdn" ? { type: "status", status: 500 } : undefined);
  await expect(pullAll(t.hub, [everything("owner/net")])).rejects.toThrow(/model.safetensors/);
  const config = join(t.cache.snapshot(commit), "config.json");
  expect(await readFile(config, "utf8")).toBe('{"a":1}\n');
  expect(await t.cache.commitOf("main")).toBeUndefined(); // the branch's snapshot is not whole
});

async function finish(hub: ReturnType<typeof hubAt>, plan: readonly PlannedRepository[]) {
  const running = pull(hub, plan, { signal: new AbortController().signal });
  while ((await running.next()).done !== true);
}

function blobs(cache: RepositoryCache): Promise<string[]> {
  return readdir(join(cache.folder, "blobs")).catch(() => []);
}
