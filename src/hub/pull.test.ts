import { lstat, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { everything, hubAt, pullAll } from "../../test/support/hub-client.ts";
import { content, gitSha1, HubServer, sha256 } from "../../test/support/hub-server.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { UserError } from "../engine/errors.ts";
import { RepositoryCache } from "./cache.ts";
import { planPull } from "./plan.ts";
import { pull } from "./pull.ts";

const commit = "c0ffee".padEnd(40, "0");
const files = {
  "config.json": Buffer.from('{"a":1}\n'),
  "empty.txt": Buffer.alloc(0),
  "unet/model.safetensors": content(300_000, 1),
  "unet/model.fp16.safetensors": content(150_000, 2),
};
const repository = { name: "owner/net", commit, files };
const folder = temporaryFolder();
let caches = 0;
const newCache = () => join(folder, `cache-${caches++}`);
const { signal } = new AbortController();

describe("a pull", () => {
  test("brings every file into place, by relative link, and remembers the branch's commit", async () => {
    await using server = await HubServer.start(repository);
    const hub = hubAt(server.endpoint, newCache());
    const { result, events } = await pullAll(hub, [everything("owner/net")]);
    const root = join(hub.settings.cache, "models--owner--net");
    for (const [path, bytes] of Object.entries(files)) {
      const placed = await readFile(join(root, "snapshots", commit, path));
      expect(placed.equals(bytes)).toBe(true);
    }
    const large = files["unet/model.safetensors"];
    const link = await readlink(join(root, "snapshots", commit, "unet/model.safetensors"));
    expect(link).toBe(`../../../blobs/${sha256(large)}`);
    expect((await lstat(join(root, "blobs", gitSha1(files["config.json"])))).size).toBe(8);
    expect(await readFile(join(root, "refs/main"), "utf8")).toBe(commit);
    expect(result).toEqual({ files: 4, bytes: 450_008, receivedBytes: 450_008 });
    expect(events.at(-1)).toMatchObject({ bytes: 450_008, totalBytes: 450_008, filesDone: 4 });
  });

  test("finds what is there, and asks for nothing but the branch's commit", async () => {
    await using server = await HubServer.start(repository);
    const hub = hubAt(server.endpoint, newCache());
    await pullAll(hub, [everything("owner/net")]);
    server.seen.length = 0;
    const { result, events } = await pullAll(hub, [everything("owner/net")]);
    expect(result.receivedBytes).toBe(0);
    expect(events.map(({ type }) => type)).toEqual(["repository-pulled"]);
    expect(server.seen.map(({ url }) => url)).toEqual(["/api/models/owner/net/revision/main"]);
  });

  test("needs no question at all for a commit that is there", async () => {
    await using server = await HubServer.start(repository);
    const hub = hubAt(server.endpoint, newCache());
    await pullAll(hub, [everything("owner/net", "*", commit)]);
    server.seen.length = 0;
    await pullAll(hub, [everything("owner/net", "*", commit)]);
    expect(server.seen).toEqual([]);
  });

  test("takes a file of another commit whose content is the same", async () => {
    const cache = newCache();
    const later = { ...repository, commit: "beef".padEnd(40, "0") };
    await using server = await HubServer.start(repository);
    await pullAll(hubAt(server.endpoint, cache), [everything("owner/net")]);
    await using newer = await HubServer.start(later);
    const { result } = await pullAll(hubAt(newer.endpoint, cache), [everything("owner/net")]);
    expect(result.receivedBytes).toBe(0);
    const path = join(cache, "models--owner--net/snapshots", later.commit, "config.json");
    expect(await readFile(path)).toEqual(files["config.json"]);
  });

  test("fetches again what has another length than the list says", async () => {
    await using server = await HubServer.start(repository);
    const hub = hubAt(server.endpoint, newCache());
    await pullAll(hub, [everything("owner/net")]);
    const blob = join(
      hub.settings.cache,
      "models--owner--net/blobs",
      gitSha1(files["config.json"]),
    );
    await writeFile(blob, "{}");
    await pullAll(hub, [everything("owner/net")]);
    expect(await readFile(blob)).toEqual(files["config.json"]);
  });

  test("takes two commits of one repository at once", async () => {
    const older = { ...repository, files: { "config.json": Buffer.from("{}") } };
    await using server = await HubServer.start(older);
    const hub = hubAt(server.endpoint, newCache());
    const requests = ["main", commit].map((one) => everything("owner/net", "*", one));
    const { result, events } = await pullAll(hub, requests);
    expect(result).toEqual({ files: 2, bytes: 4, receivedBytes: 2 });
    const finished = events.flatMap((event) =>
      event.type === "repository-pulled" ? event.revision : [],
    );
    expect(new Set(finished)).toEqual(new Set(["main", commit]));
  });

  test("writes nothing where everything is there: the cache may be read-only", async () => {
    await using server = await HubServer.start(repository);
    const hub = hubAt(server.endpoint, newCache());
    await pullAll(hub, [everything("owner/net")]);
    const before = await times(hub.settings.cache);
    await pullAll(hub, [everything("owner/net")]);
    expect(await times(hub.settings.cache)).toEqual(before);
  });

  test("starts with the largest file", async () => {
    await using server = await HubServer.start(repository);
    const hub = hubAt(server.endpoint, newCache());
    const { events } = await pullAll(hub, [everything("owner/net")], { parallel: 1 });
    const order = events.flatMap((event) => (event.type === "file-pulled" ? event.bytes : []));
    expect(order).toEqual([300_000, 150_000, 8, 0]);
  });

  test("of alternatives takes the first that the repository has", async () => {
    await using server = await HubServer.start(repository);
    const hub = hubAt(server.endpoint, newCache());
    const first = (paths: readonly string[], optional = false) =>
      ({ type: "first-of", paths, optional }) as const;
    const wanted = [
      first(["unet/model.fp8.safetensors", "unet/model.fp16.safetensors", "config.json"]),
      first(["vocabulary.txt"], true),
    ];
    const request = { repository: "owner/net", revision: "main", files: wanted };
    const [plan] = await planPull(hub, [request], { signal });
    expect(plan?.files.map(({ path }) => path)).toEqual(["unet/model.fp16.safetensors"]);
    const missing = { ...request, files: [first(["a.json", "b.json"])] };
    await expect(planPull(hub, [missing], { signal })).rejects.toThrow(
      "owner/net at main has no a.json and no b.json",
    );
  });

  test("goes through a mirror whose address has a path", async () => {
    await using server = await HubServer.start(repository);
    const hub = hubAt(`${server.endpoint}/mirror`, newCache());
    server.fault = ({ url }) =>
      url.startsWith("/mirror")
        ? { type: "redirect", location: url.replace("/mirror", "") }
        : undefined;
    const { result } = await pullAll(hub, [everything("owner/net", "config.json")]);
    expect(result.files).toBe(1);
    expect(server.seen[0]?.url).toBe("/mirror/api/models/owner/net/revision/main");
  });
});

describe("the token", () => {
  const gated = { ...repository, isGated: true };

  test("goes to the hub with every question, and never to the host that it sends to", async () => {
    await using server = await HubServer.start(gated);
    const hub = hubAt(server.endpoint, newCache(), { HF_TOKEN: "secret" });
    await pullAll(hub, [everything("owner/net")]);
    const tokens = (host: string) =>
      new Set(
        server.seen.filter((one) => one.host === host).map((one) => one.headers["authorization"]),
      );
    expect(tokens("hub")).toEqual(new Set(["Bearer secret"]));
    expect(tokens("cdn")).toEqual(new Set([undefined]));
  });

  test("stays here when a list is asked for and the hub sends elsewhere", async () => {
    await using server = await HubServer.start(repository);
    server.fault = ({ host, url }) =>
      host === "hub" ? { type: "redirect", location: server.cdn + url } : undefined;
    const hub = hubAt(server.endpoint, newCache(), { HF_TOKEN: "secret" });
    await expect(planPull(hub, [everything("owner/net")], { signal })).rejects.toThrow();
    const elsewhere = server.seen.filter(({ host }) => host === "cdn");
    expect(elsewhere.map(({ headers }) => headers["authorization"])).toEqual([undefined]);
  });

  test("is not sent where there is none", async () => {
    await using server = await HubServer.start(repository);
    await pullAll(hubAt(server.endpoint, newCache()), [everything("owner/net")]);
    expect(server.seen.every(({ headers }) => headers["authorization"] === undefined)).toBe(true);
  });
});

describe("without the network", () => {
  test("what was pulled is found, and nobody is asked", async () => {
    await using server = await HubServer.start(repository);
    const cache = newCache();
    await pullAll(hubAt(server.endpoint, cache), [everything("owner/net")]);
    server.seen.length = 0;
    const offline = hubAt(server.endpoint, cache, { HF_HUB_OFFLINE: "1" });
    const { result } = await pullAll(offline, [everything("owner/net", "unet/")]);
    expect(result).toEqual({ files: 2, bytes: 450_000, receivedBytes: 0 });
    expect(server.seen).toEqual([]);
  });

  test("what is missing is named", async () => {
    await using server = await HubServer.start(repository);
    const cache = newCache();
    await pullAll(hubAt(server.endpoint, cache), [everything("owner/net", "*.json")]);
    const offline = hubAt(server.endpoint, cache, { HF_HUB_OFFLINE: "1" });
    await expect(pullAll(offline, [everything("owner/net")])).rejects.toThrow(
      /^offline, and 3 of 4 files of owner\/net \(empty.txt\) are not in .*; unset HF_HUB_OFFLINE/,
    );
    await expect(pullAll(offline, [everything("owner/other")])).rejects.toThrow(
      /^offline, and nothing of owner\/other at revision main is in /,
    );
  });
});

test("a disk without room is told before anything comes", async () => {
  await using server = await HubServer.start(repository);
  const hub = hubAt(server.endpoint, join(newCache(), "new/folders"));
  const [planned] = await planPull(hub, [everything("owner/net", "*.json")], { signal });
  const [file] = planned!.files;
  const huge = { ...planned!, files: [{ ...file!, size: 1e18 }] };
  await expect(pull(hub, [huge], { signal }).next()).rejects.toThrow(
    /^1000000.0 TB are to come, .*new\/folders has room for .* [GT]B: free some, or set HF_HUB_CACHE/,
  );
  expect(server.downloads).toEqual([]);
  const half = { ...planned!, files: [{ ...file!, size: 1e18, there: 4e17 }] };
  await expect(pull(hub, [half], { signal }).next()).rejects.toThrow(/^600000.0 TB are to come/);
});

test("a plan counts what of a file has arrived before", async () => {
  await using server = await HubServer.start(repository);
  const hub = hubAt(server.endpoint, newCache());
  const ask = async () => {
    const [planned] = await planPull(hub, [everything("owner/net", "unet/model.safetensors")], {
      signal,
    });
    const [file] = planned!.files;
    return file?.type === "to-fetch" ? file : expect.fail("expected a file to fetch");
  };
  const { file, size, there } = await ask();
  expect(there).toBe(0);
  const partial = new RepositoryCache("owner/net", hub.settings).partial(file.digest);
  await mkdir(dirname(partial), { recursive: true });
  await writeFile(partial, "some bytes");
  expect((await ask()).there).toBe(10);
  await writeFile(partial, Buffer.alloc(size + 1));
  expect((await ask()).there).toBe(size);
});

test("a disk that cannot be written to ends the pull with the first file", async () => {
  await using server = await HubServer.start(repository);
  const hub = hubAt(server.endpoint, newCache());
  const cache = new RepositoryCache("owner/net", hub.settings);
  await mkdir(cache.folder, { recursive: true });
  await writeFile(join(cache.folder, "blobs"), "a file where a folder has to be");
  const failed = pullAll(hub, [everything("owner/net")], { parallel: 1 });
  await expect(failed).rejects.toThrow(/^(?!.*more files failed).*blobs/);
  expect(server.downloads).toEqual([]);
});

describe("a list that is wrong", () => {
  const list = "/api/models/owner/net/tree/";
  const small = { ...repository, files: { "config.json": files["config.json"] } };
  const wrong = gitSha1(Buffer.from('{"a":2}\n'));
  const right = gitSha1(files["config.json"]);

  test("is not kept: the same pull again asks for another", async () => {
    await using server = await HubServer.start(small);
    const hub = hubAt(server.endpoint, newCache());
    const entry = { type: "file", path: "config.json", size: 8, oid: wrong };
    // the answer has no etag that would contradict the list
    server.fault = ({ url, method }) =>
      url.startsWith(list)
        ? { type: "replace", content: Buffer.from(JSON.stringify([entry])) }
        : method === "HEAD"
          ? { type: "status", status: 405 }
          : { type: "headers", headers: { etag: "" } };
    await expect(pullAll(hub, [everything("owner/net")])).rejects.toThrow(/arrived damaged/);
    server.fault = () => undefined;
    const { result } = await pullAll(hub, [everything("owner/net")]);
    expect(result).toEqual({ files: 1, bytes: 8, receivedBytes: 8 });
  });

  test("though kept from before, is asked for anew where the server offers something else", async () => {
    await using server = await HubServer.start(small);
    const hub = hubAt(server.endpoint, newCache());
    const cache = new RepositoryCache("owner/net", hub.settings);
    await cache.writeTree(commit, [{ type: "file", path: "config.json", size: 8, oid: wrong }]);
    const [planned] = await planPull(hub, [everything("owner/net")], { signal });
    expect(planned?.newTree).toMatchObject([{ path: "config.json", oid: right }]);
    expect(server.seen.filter(({ url }) => url.startsWith(list))).toHaveLength(1);
  });
});

test("files that are refused are counted behind the first, which is misuse as it is alone", async () => {
  await using server = await HubServer.start(repository);
  const hub = hubAt(server.endpoint, newCache());
  const plan = await planPull(hub, [everything("owner/net", "unet/*")], { signal });
  server.fault = () => ({ type: "status", status: 401 });
  const events = pull(hub, plan, { signal });
  const failed = (async () => {
    for await (const _ of events);
  })();
  await expect(failed).rejects.toThrow(/^owner\/net: access denied .* \(and 1 more file failed\)$/);
  await expect(failed).rejects.toBeInstanceOf(UserError);
});

/** When each file and folder was last written. */
async function times(root: string): Promise<ReadonlyMap<string, number>> {
  const names = await readdir(root, { recursive: true });
  const written = names.map(
    async (name) => [name, (await lstat(join(root, name))).mtimeMs] as const,
  );
  return new Map(await Promise.all(written));
}
