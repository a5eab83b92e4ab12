import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  content,
  HubServer,
  type ServedRepository,
  sha256,
} from "../../test/support/hub-server.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { UserError } from "../engine/errors.ts";
import { PUBLIC_WEIGHTS } from "../presets/open-weights.ts";
import { runArguments } from "./command.ts";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
const folder = temporaryFolder();
const commit = "c0ffee".padEnd(40, "0");
let caches = 0;

/** The public repositories in small: all files that the preset names, and larger ones that it does not want. */
const repositories = PUBLIC_WEIGHTS.map(({ repository, revision, files }, i): ServedRepository => {
  const paths = files.flatMap(({ choices }) => choices.map(({ path }) => path));
  const served = [...paths, "v1-5-pruned.safetensors", "README.md"].map(
    (path, j) => [path, content(100 + j, i)] as const,
  );
  const isPinned = /^[0-9a-f]{40}$/.test(revision);
  return {
    name: repository,
    commit: isPinned ? revision : commit,
    files: Object.fromEntries(served),
  };
});

async function eve(
  endpoint: string,
  cache: string,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
  onOutput: (child: ChildProcess, text: string) => void = () => {},
) {
  const env = {
    ...process.env,
    EVE_DOOR: "/nonexistent/door.node", // whoever loads the engine fails
    NODE_USE_ENV_PROXY: "0",
    HF_ENDPOINT: endpoint,
    HF_HUB_CACHE: cache,
    HF_HUB_OFFLINE: "0",
    HF_TOKEN_PATH: "/nonexistent",
    HF_TOKEN: "",
    ...more,
  };
  const child = spawn(process.execPath, [main, "pull", ...args], { env });
  const written = { stdout: "", stderr: "" };
  child.stdout.on("data", (text) => {
    written.stdout += text;
    onOutput(child, written.stdout);
  });
  child.stderr.on("data", (text) => (written.stderr += text));
  const [status] = (await once(child, "close")) as [number | null];
  return { status, ...written };
}

const newCache = () => join(folder, `cache-${caches++}`);

const lines = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("a server that closes every connection behind its bytes is pulled from as any other", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 100 }, (_, i) => [`${i}.safetensors`, content(150_000, i)] as const),
  );
  await using server = await HubServer.start({ name: "owner/net", commit, files });
  server.fault = ({ host }) =>
    host === "cdn" ? { type: "headers", headers: { connection: "close" } } : undefined;
  const cache = newCache();
  const { status, stderr } = await eve(server.endpoint, cache, [
    "owner/net",
    "--json",
    "--parallel=32",
  ]);
  expect([status, stderr]).toEqual([0, ""]);
  for (const [path, bytes] of Object.entries(files)) {
    const placed = join(cache, "models--owner--net/snapshots", commit, path);
    expect((await readFile(placed)).equals(bytes), path).toBe(true);
  }
  // each came once
  expect(server.downloads).toHaveLength(100);
});

describe("eve pull open", () => {
  test("shows what would come, brings it, finds it, and shows that it is there", async () => {
    await using server = await HubServer.start(...repositories);
    const cache = newCache();
    const before = await eve(server.endpoint, cache, ["open", "--dry-run"]);
    expect(before).toMatchObject({ status: 0, stderr: "" });
    expect(before.stdout).toMatch(
      /^edit +edit adapter +lllyasviel\/control_v11e_sd15_ip2p +1fed6ebb905c +2 +\d+ B +0 B +OpenRAIL$/m,
    );
    expect(before.stdout).toContain(`into ${cache} (HF_HUB_CACHE names another folder)`);
    expect(server.downloads).toEqual([]);

    const pulled = await eve(server.endpoint, cache, ["open"]);
    expect(pulled.status).toBe(0);
    const unet = "models--stable-diffusion-v1-5--stable-diffusion-v1-5/snapshots";
    const snapshot = join(cache, unet, "451f4fe16113bff5a5d2269ed5ad43b0592e9a14");
    expect(pulled.stdout).toContain(
      `stable-diffusion-v1-5/stable-diffusion-v1-5: 1.4 kB in 13 files, licence CreativeML OpenRAIL-M\n  ${snapshot}\n`,
    );
    const path = "unet/diffusion_pytorch_model.fp16.safetensors";
    const expected = repositories[0]!.files[path]!;
    expect((await readFile(join(snapshot, path))).equals(expected)).toBe(true);
    const urls = server.seen.map(({ url }) => url).join("\n");
    expect(urls).not.toMatch(/pruned|README|unet\/diffusion_pytorch_model.safetensors/);
    expect(urls).not.toMatch(/clip-vit|PickScore/); // metrics come when they are asked for

    server.seen.length = 0;
    const again = await eve(server.endpoint, cache, ["open"]);
    expect(again.stdout).toMatch(/; all of it was there\n$/);
    const offline = { HF_HUB_OFFLINE: "1" };
    const after = await eve(server.endpoint, cache, ["open", "--dry-run"], offline);
    expect(after.stdout).toContain("≈ 0 B of it to come");
    expect(server.downloads).toEqual([]);
  });

  test("--only chooses groups; --json says everything as events", async () => {
    await using server = await HubServer.start(...repositories);
    const args = ["open", "--only", "distill", "--json"];
    const cache = newCache();
    const { status, stdout, stderr } = await eve(server.endpoint, cache, args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const events = lines(stdout);
    expect(events).toContainEqual(
      expect.objectContaining({
        type: "repository-pulled",
        repository: "facebook/dinov2-small",
        revision: "main",
        commit,
        group: "distill",
        licence: "Apache-2.0",
        files: 3,
      }),
    );
    expect(events).toContainEqual(
      expect.objectContaining({ type: "progress", phase: "downloading", filesDone: 3, files: 3 }),
    );
    expect(events.at(-1)).toMatchObject({ type: "pulled", files: 3, receivedBytes: 303, cache });
  });

  test("tells sizes that it expects where the hub cannot be reached", async () => {
    const dead = await HubServer.start();
    const { endpoint } = dead;
    await dead[Symbol.asyncDispose]();
    const dry = await eve(endpoint, newCache(), ["open", "--only", "metrics", "--dry-run"]);
    expect(dry.status).toBe(0);
    expect(dry.stderr).toMatch(/failed \(ECONNREFUSED\); sizes below are those that the preset/);
    expect(dry.stdout).toMatch(
      /yuvalkirstain\/PickScore_v1 +a4e4367c6dfa +2 +3.9 GB +0 B +not stated/,
    );
    expect(dry.stdout).toContain("≈ 7.4 GB in 12 files");
  });
});

describe("eve pull owner/name", () => {
  const repository = {
    name: "owner/net",
    commit,
    files: {
      "config.json": Buffer.from("{}"),
      "model.bin": content(50, 1),
      "model.safetensors": content(60, 2),
    },
  };

  test("brings what can be read safely, or what --file says", async () => {
    await using server = await HubServer.start(repository);
    const pulled = await eve(server.endpoint, newCache(), ["owner/net", "--json"]);
    expect(lines(pulled.stdout).at(-1)).toMatchObject({ files: 2, bytes: 62 });
    const args = ["owner/net", "--file", "*.bin,config.json", "--revision", commit, "--json"];
    const chosen = await eve(server.endpoint, newCache(), args);
    expect(lines(chosen.stdout).at(-1)).toMatchObject({ files: 2, bytes: 52 });
  });

  test("Ctrl-C stops it with 130, however long the server is silent, and its bytes stay", async () => {
    await using server = await HubServer.start(repository);
    server.fault = ({ host }) => (host === "cdn" ? { type: "hang", after: 20 } : undefined);
    const cache = newCache();
    const args = ["owner/net", "--file", "model.safetensors", "--json"];
    let isStopped = false;
    const stop = (child: ChildProcess, text: string) => {
      if (isStopped || !text.includes('"bytes":20')) return;
      isStopped = true;
      child.kill("SIGINT");
    };
    const { status } = await eve(server.endpoint, cache, args, {}, stop);
    expect(status).toBe(130);
    const digest = sha256(repository.files["model.safetensors"]);
    const partial = join(cache, `models--owner--net/blobs/${digest}.eve.incomplete`);
    expect(await readFile(partial)).toHaveLength(20);
  });

  test("damaged bytes are a failure, a gated repository is for the user to open", async () => {
    await using server = await HubServer.start(
      { ...repository, name: "owner/gated", isGated: true },
      repository,
    );
    server.fault = ({ host }) =>
      host === "cdn" ? { type: "replace", content: content(60, 3) } : undefined;
    const damaged = await eve(server.endpoint, newCache(), ["owner/net"]);
    expect(damaged.status).toBe(1);
    expect(damaged.stderr).toMatch(
      /\neve: owner\/net: model.safetensors arrived damaged: [^\n]*\n$/,
    );
    const gated = await eve(server.endpoint, newCache(), ["owner/gated"]);
    expect(gated.status).toBe(2);
    expect(gated.stderr).toMatch(/^eve: owner\/gated is gated: accept its conditions on [^\n]*\n$/);
  });

  test.each([
    [["opne"], 'expected open or a repository as owner/name, got "opne"; did you mean open?'],
    [
      ["open", "--only", "edits"],
      '--only: expected one of edit, distill, metrics, got "edits"; did you mean edit?',
    ],
    [
      ["open", "--file", "*"],
      "--file and --revision go with a repository; --only chooses parts of open",
    ],
    [["owner/net", "--only", "edit"], "--only goes with open; --file chooses files"],
    [
      ["owner/net", "--parallel", "0"],
      '--parallel: expected a whole number, at least 1, at most 32, got "0"',
    ],
    [["owner/net", "--revision", "a b"], 'expected a branch, tag or commit, got "a b"'],
  ])("%j is misuse", async (args, sentence) => {
    const context = { signal: new AbortController().signal };
    await expect(runArguments(["pull", ...args], context)).rejects.toThrow(new UserError(sentence));
  });
});
