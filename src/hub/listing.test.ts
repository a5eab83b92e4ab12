import { describe, expect, test } from "vitest";
import { everything, hubAt } from "../../test/support/hub-client.ts";
import { type Fault, HubServer } from "../../test/support/hub-server.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { UserError } from "../engine/errors.ts";
import { listTree, remoteFile } from "./listing.ts";
import { planPull } from "./plan.ts";

const commit = "c0ffee".padEnd(40, "0");
const names = Array.from({ length: 25 }, (_, i) => `part-${i}/file.json`);
const files = Object.fromEntries(names.map((name) => [name, Buffer.from(name)]));
const repository = { name: "owner/net", commit, files };
const cache = temporaryFolder();
const { signal } = new AbortController();

describe("the list of files", () => {
  test("comes page by page", async () => {
    await using server = await HubServer.start(repository);
    server.pageSize = 10;
    const entries = await listTree(hubAt(server.endpoint, cache), "owner/net", commit, { signal });
    expect(entries.map(({ path }) => path)).toEqual(names);
    expect(server.seen).toHaveLength(3);
  });

  test("goes on at the same address where a mirror's link names the host it mirrors", async () => {
    await using server = await HubServer.start(repository);
    server.pageSize = 10;
    server.nextLink = (path) => `https://elsewhere.example${path}`;
    const entries = await listTree(hubAt(server.endpoint, cache), "owner/net", commit, { signal });
    expect(entries).toHaveLength(25);
  });

  test("ends where a page names itself as the next", async () => {
    await using server = await HubServer.start(repository);
    server.pageSize = 10;
    server.nextLink = (path) => path.replace(/&cursor=\d+/, "");
    const entries = await listTree(hubAt(server.endpoint, cache), "owner/net", commit, { signal });
    expect(entries).toHaveLength(10);
  });

  test("is refused where its pages do not end", async () => {
    await using server = await HubServer.start(repository);
    server.pageSize = 1;
    let page = 0;
    server.nextLink = (path) => `${path.replace(/&cursor=\d+/, "")}&page=${page++}`;
    const listing = listTree(hubAt(server.endpoint, cache), "owner/net", commit, { signal });
    await expect(listing).rejects.toThrow(/^the list of owner\/net has more than 200 pages/);
    expect(server.seen).toHaveLength(200);
  });

  test("is refused where a page does not end", async () => {
    await using server = await HubServer.start(repository);
    server.fault = () => ({ type: "replace", content: Buffer.alloc((1 << 26) + 1, " ") });
    const listing = listTree(hubAt(server.endpoint, cache), "owner/net", commit, { signal });
    await expect(listing).rejects.toThrow(/sends more than 64 MiB in the place of a list/);
  });

  test.each([["../../../etc/passwd"], ["/etc/passwd"], ["a//b"], ["a\\b"], ["C:/a"], ["a\u0000"]])(
    "with the path %j is not trusted",
    async (path) => {
      await using server = await HubServer.start({ ...repository, files: { [path]: Buffer.of() } });
      const hub = hubAt(server.endpoint, cache);
      await expect(listTree(hub, "owner/net", commit, { signal })).rejects.toThrow(
        /^owner\/net lists a file ".*", which is no path within its folder: do not trust/,
      );
    },
  );

  test.each([["<html>Please log in</html>"], ["{}"], ['[{"type":"file","path":"a"}]']])(
    "is not read from %s",
    async (text) => {
      await using server = await HubServer.start(repository);
      server.fault = () => ({ type: "replace", content: Buffer.from(text) });
      const hub = hubAt(server.endpoint, cache);
      await expect(listTree(hub, "owner/net", commit, { signal })).rejects.toThrow(
        /\/tree\/c0ffee0* answers with something else than a hub's list: check HF_ENDPOINT/,
      );
    },
  );

  test("tells the hash of a large file's content, and git's of a small one", () => {
    const small = { type: "file", path: "a", size: 3, oid: "1".repeat(40) };
    const large = { ...small, size: 134, lfs: { oid: "2".repeat(64), size: 1e9 } };
    expect(remoteFile(small, "o/n", commit)).toMatchObject({
      size: 3,
      digest: { algorithm: "git-sha1", hex: "1".repeat(40) },
    });
    expect(remoteFile(large, "o/n", commit)).toMatchObject({
      size: 1e9,
      digest: { algorithm: "sha256", hex: "2".repeat(64) },
    });
  });
});

describe("what cannot be had gets one sentence that says what to do:", () => {
  const gated = { ...repository, isGated: true };
  const status = (code: number, header?: string): Fault => ({
    type: "status",
    status: code,
    headers: header === undefined ? {} : { "x-error-code": header },
  });

  test("a gated repository, before anything is fetched", async () => {
    await using server = await HubServer.start(gated);
    const planning = planPull(hubAt(server.endpoint, cache), [everything("owner/net")], { signal });
    await expect(planning).rejects.toThrow(
      new UserError(
        `owner/net is gated: accept its conditions on ${server.endpoint}/owner/net, and set HF_TOKEN to a token of the account that accepted them`,
      ),
    );
    expect(server.downloads).toEqual([]);
  });

  test("a gated repository, for an account that has not accepted", async () => {
    await using server = await HubServer.start(repository);
    server.fault = ({ method }) => (method === "HEAD" ? status(403, "GatedRepo") : undefined);
    const hub = hubAt(server.endpoint, cache, { HF_TOKEN: "secret" });
    await expect(planPull(hub, [everything("owner/net")], { signal })).rejects.toThrow(
      /accept its conditions on .*, and HF_TOKEN has to be a token of the account that accepted/,
    );
  });

  test.each([
    [
      "owner/nothing",
      "main",
      /^there is no repository owner\/nothing, or it is private: check the name, or set HF_TOKEN/,
    ],
    [
      "owner/net",
      "v2",
      /^owner\/net has no revision "v2": name a branch, tag or commit of it with --revision/,
    ],
    ["net", "main", /^expected a repository as owner\/name, got "net"/],
    ["../net", "main", /^expected a repository as owner\/name/],
    ["owner/net", "../../x", /^expected a branch, tag or commit, got "..\/..\/x"/],
  ])("%s at %s", async (name, revision, sentence) => {
    await using server = await HubServer.start(repository);
    const hub = hubAt(server.endpoint, cache);
    const planning = planPull(hub, [everything(name, "*", revision)], { signal });
    await expect(planning).rejects.toThrow(sentence);
    await expect(planning).rejects.toBeInstanceOf(UserError);
  });

  test("a pattern that nothing fits", async () => {
    await using server = await HubServer.start(repository);
    const request = everything("owner/net", "*.bin");
    await expect(planPull(hubAt(server.endpoint, cache), [request], { signal })).rejects.toThrow(
      /^no file of owner\/net fits "\*.bin"; it has part-0\/file.json, .*part-7\/file.json, …$/,
    );
  });

  test.each([
    [
      status(401),
      { HF_TOKEN: "old" },
      /does not accept the token: set HF_TOKEN to a valid one, or unset it/,
    ],
    [
      status(401),
      {},
      /access denied \(401\); open .*\/owner\/net to see what it asks for, and set/,
    ],
    [status(403), { HF_TOKEN: "a" }, /access denied \(403\); .* HF_TOKEN has to be a token of/],
    [status(404), {}, /there is no repository owner\/net, or it is private/],
    [status(404, "EntryNotFound"), {}, /has no file "" at revision main: .*\/tree\/main lists/],
    [
      status(418),
      {},
      /answered 418 to a question about owner\/net: try again later, or with another HF_ENDPOINT/,
    ],
  ])("%j with %j", async (fault, environment, sentence) => {
    await using server = await HubServer.start(repository);
    server.fault = () => fault;
    const hub = hubAt(server.endpoint, cache, environment);
    await expect(planPull(hub, [everything("owner/net")], { signal })).rejects.toThrow(sentence);
    expect(hub.clock.waits).toEqual([]); // none of this changes by itself
  });

  test("a server that stays busy", async () => {
    await using server = await HubServer.start(repository);
    server.fault = () => ({ type: "status", status: 503 });
    const hub = hubAt(server.endpoint, cache);
    await expect(planPull(hub, [everything("owner/net")], { signal })).rejects.toThrow(
      /^owner\/net: 127.0.0.1:\d+ answered 503 \(tried 4 times\); check the network \(HTTPS_PROXY/,
    );
  });

  test("a server that is not there", async () => {
    const server = await HubServer.start(repository);
    const hub = hubAt(server.endpoint, cache);
    await server[Symbol.asyncDispose]();
    await expect(planPull(hub, [everything("owner/net")], { signal })).rejects.toThrow(
      /^owner\/net: the connection to 127.0.0.1:\d+ failed \(ECONNREFUSED\) \(tried 4 times\)/,
    );
  });

  test("a server that sends in circles", async () => {
    await using server = await HubServer.start(repository);
    server.fault = ({ url }) => ({ type: "redirect", location: url });
    const hub = hubAt(server.endpoint, cache);
    await expect(planPull(hub, [everything("owner/net")], { signal })).rejects.toThrow(
      /sends from one address to the next without end: try again later, or with another HF_/,
    );
  });
});
