import { createHash } from "node:crypto";
import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { repository } from "../../test/golden/hub/repository.ts";
import { everything, hubAt, pullAll } from "../../test/support/hub-client.ts";
import { HubServer } from "../../test/support/hub-server.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { type Linking, RepositoryCache } from "./cache.ts";

const folder = temporaryFolder();
const commit = "c0ffee".padEnd(40, "0");
const digest = { algorithm: "sha256", hex: "ab".repeat(32) } as const;

test("after a pull the cache is, byte by byte, the one that the Python client makes", async () => {
  await using server = await HubServer.start(repository);
  const hub = hubAt(server.endpoint, join(folder, "golden"));
  await pullAll(hub, [everything(repository.name)]);
  const golden = new URL("../../test/golden/hub/layout.json", import.meta.url);
  const root = join(hub.settings.cache, "models--owner--net-1.5");
  expect(await layout(root)).toEqual(JSON.parse(await readFile(golden, "utf8")));
});

test.each([
  ["HF_HUB_DISABLE_SYMLINKS", { HF_HUB_DISABLE_SYMLINKS: "1" }, 2],
  ["no variable", {}, 1],
])(
  "with %s a pull's files have their content at the right place",
  async (_, environment, links) => {
    await using server = await HubServer.start(repository);
    const hub = hubAt(server.endpoint, join(folder, `links-${links}`), environment);
    await pullAll(hub, [everything(repository.name)]);
    const path = "unet/deep/er/model.safetensors";
    const snapshot = new RepositoryCache(repository.name, hub.settings).snapshot(commit);
    const placed = await readFile(join(snapshot, path));
    expect(placed.equals(repository.files[path]!)).toBe(true);
    const stats = await lstat(join(snapshot, path));
    expect(stats.isSymbolicLink()).toBe(links === 1);
    expect(stats.nlink).toBe(links);
    const again = await pullAll(hub, [everything(repository.name)]);
    expect(again.result.receivedBytes).toBe(0);
  },
);

describe("a blob", () => {
  const forbidden = () => Promise.reject(Object.assign(new Error("no"), { code: "EPERM" }));
  let caches = 0;

  async function cacheWithBlob(linking?: Linking) {
    const settings = { cache: join(folder, `blob-${caches++}`), symlinks: true };
    const cache = new RepositoryCache("owner/net", settings, linking);
    await mkdir(dirname(cache.blob(digest)), { recursive: true });
    return cache;
  }

  test("is copied where the disk knows no links", async () => {
    const cache = await cacheWithBlob({ symlink: forbidden, link: forbidden });
    await writeFile(cache.blob(digest), "weights");
    await cache.place(digest, commit, "a/b.bin");
    const place = join(cache.snapshot(commit), "a/b.bin");
    expect((await lstat(place)).nlink).toBe(1);
    expect(await readFile(place, "utf8")).toBe("weights");
    expect(await readdir(dirname(place))).toEqual(["b.bin"]);
  });

  test("that is itself a link is linked to where it leads", async () => {
    const cache = await cacheWithBlob({
      symlink: forbidden,
      link: (await import("node:fs/promises")).link,
    });
    await writeFile(join(cache.folder, "shared"), "weights");
    await symlink("../shared", cache.blob(digest));
    await cache.place(digest, commit, "a/b.bin");
    expect(await readFile(join(cache.snapshot(commit), "a/b.bin"), "utf8")).toBe("weights");
  });

  test("replaces what lies in its place, a link to nothing too", async () => {
    const cache = await cacheWithBlob();
    await writeFile(cache.blob(digest), "weights");
    const place = join(cache.snapshot(commit), "b.bin");
    await mkdir(dirname(place), { recursive: true });
    await symlink("../../blobs/gone", place);
    await cache.place(digest, commit, "b.bin");
    expect(await readFile(place, "utf8")).toBe("weights");
  });
});

describe("what the cache remembers", () => {
  const cache = new RepositoryCache("owner/net", { cache: join(folder, "memory"), symlinks: true });

  test("of branches with slashes is found again", async () => {
    await cache.writeRef("refs/pr/1", commit);
    expect(await cache.commitOf("refs/pr/1")).toBe(commit);
    expect(await cache.commitOf("main")).toBeUndefined();
    expect(await cache.commitOf(commit)).toBe(commit);
  });

  test("of a list that is damaged, or of a later format, is forgotten", async () => {
    await cache.writeTree(commit, [{ type: "file", path: "a", size: 1, oid: "1".repeat(40) }]);
    expect(await cache.readTree(commit)).toHaveLength(1);
    const path = join(cache.folder, "trees", `${commit}.json`);
    for (const text of ["{", '{"format_version":2,"files":{}}']) {
      await writeFile(path, text);
      expect(await cache.readTree(commit)).toBeUndefined();
    }
  });
});

/** Every file below `root`: where a link points to, or the hash of what a file contains. */
async function layout(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const found = entries
    .filter((entry) => !entry.isDirectory())
    .map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const text = entry.isSymbolicLink()
        ? `-> ${await readlink(path)}`
        : createHash("sha256")
            .update(await readFile(path))
            .digest("hex");
      return [relative(root, path), text] as const;
    });
  return Object.fromEntries(await Promise.all(found));
}
