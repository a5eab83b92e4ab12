import { spawnSync } from "node:child_process";
import {
  copyFile,
  mkdir,
  mkdtempDisposable,
  readdir,
  rename,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const repository = fileURLToPath(new URL("..", import.meta.url));
const edit = ["edit", "clip.mp4", "make it blue"];

/**
 * A checkout of the launcher alone, in a path with a space and a letter outside ASCII. Its Node prints what it
 * was asked to run; building its engine fails.
 */
async function checkoutIn(folder: string): Promise<string> {
  const checkout = join(folder, "öpen eve");
  for (const part of ["scripts", "native", "tools", "libtorch", "temporary"])
    await mkdir(join(checkout, part), { recursive: true });
  await copyFile(join(repository, "eve"), join(checkout, "eve"));
  await copyFile(join(repository, "scripts/setup.sh"), join(checkout, "scripts/setup.sh"));
  await writeFile(join(checkout, "package-lock.json"), "{}");
  await utimes(join(checkout, "package-lock.json"), 0, 0); // older than what will be installed
  await writeFile(join(checkout, "native/build.sh"), "echo no compiler today; exit 1");
  await writeScript(join(checkout, "tools/g++"), "exit 1");
  return checkout;
}

async function writeScript(path: string, text: string): Promise<void> {
  await writeFile(path, `#!/usr/bin/env bash\n${text}\n`, { mode: 0o755 });
}

async function addPackages(checkout: string): Promise<void> {
  await mkdir(join(checkout, "node_modules/node/bin"), { recursive: true });
  await writeScript(join(checkout, "node_modules/node/bin/node"), 'echo "run: ${*:2}"');
  await writeFile(join(checkout, "node_modules/.package-lock.json"), "{}");
}

/** Runs a command in the checkout, in a process group of its own, with nothing but its tools and the system's. */
function run(checkout: string, command: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync("setsid", ["--wait", ...command], {
    cwd: checkout,
    encoding: "utf8",
    env: {
      PATH: `${join(checkout, "tools")}:/usr/bin:/bin`,
      LIBTORCH: join(checkout, "libtorch"),
      TMPDIR: join(checkout, "temporary"),
      ...environment,
    },
  });
  return { status, stdout, stderr };
}

test("only verbs that compute wait for the engine, not help or a word that is no verb", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "eve-setup-"));
  const checkout = await checkoutIn(folder.path);
  await addPackages(checkout);
  for (const words of [["edti", "clip.mp4"], ["edit"], [...edit, "--help"], ["data"], ["doctor"]])
    expect(run(checkout, ["./eve", ...words])).toEqual({
      status: 0,
      stdout: `run: ${words.join(" ")}\n`,
      stderr: "",
    });
  const { status, stderr } = run(checkout, ["./eve", ...edit]);
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /no compiler today\neve: building the native engine .* failed after \d+ s/,
  );
});

test("a network that is missing is named, and what to do", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "eve-setup-"));
  const checkout = await checkoutIn(folder.path);
  await writeScript(join(checkout, "tools/npm"), "echo npm error code EAI_AGAIN; exit 1");
  const { status, stderr } = run(checkout, ["./eve", ...edit]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/failed after \d+ s; the npm registry was not reached: check .*\n$/);
  expect(await readdir(join(checkout, "temporary"))).toEqual([]);
});

test("what only root may install is told before anything is downloaded", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "eve-setup-"));
  const checkout = await checkoutIn(folder.path);
  const bare = join(checkout, "bare"); // a system without a compiler
  await mkdir(bare);
  for (const tool of [
    "bash",
    "cat",
    "dirname",
    "echo",
    "env",
    "mktemp",
    "readlink",
    "setsid",
    "sha256sum",
    "xargs",
  ])
    await symlink(join("/usr/bin", tool), join(bare, tool));
  await writeScript(join(bare, "id"), "echo 1000");
  for (const tool of ["apt-get", "npm"]) await writeScript(join(bare, tool), "echo called");
  expect(run(checkout, ["./eve", ...edit], { PATH: bare })).toEqual({
    status: 1,
    stdout: "",
    stderr: expect.stringMatching(/^eve: Debian packages .* only root .* g\+\+\n$/),
  });
});

test("Ctrl-C during a step ends the set-up in one sentence and leaves nothing behind", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "eve-setup-"));
  const checkout = await checkoutIn(folder.path);
  await writeScript(join(checkout, "tools/npm"), "trap 'echo tidied; exit 1' INT; kill -INT 0");
  const { status, stderr } = run(checkout, ["./eve", ...edit]);
  expect(status).toBe(130);
  expect(stderr).toMatch(/^eve: installing [^\n]*\neve: stopped; [^\n]*\n$/);
  expect(await readdir(join(checkout, "temporary"))).toEqual([]);
});

test("a TMPDIR that is not there is named", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "eve-setup-"));
  const checkout = await checkoutIn(folder.path);
  await writeScript(join(checkout, "tools/npm"), "exit 0");
  const { status, stderr } = run(checkout, ["./eve", ...edit], { TMPDIR: "/not/there" });
  expect(status).toBe(1);
  expect(stderr).toMatch(/eve: a temporary file .* \/not\/there: set TMPDIR/);
});

test("a checkout that was moved keeps its engine; one whose source changed does not", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "eve-setup-"));
  const checkout = await checkoutIn(folder.path);
  await addPackages(checkout);
  await mkdir(join(checkout, "native/build"));
  await writeFile(join(checkout, "native/build/door.node"), "");
  const libtorch = { LIBTORCH: join(folder.path, "libtorch") };
  await mkdir(libtorch.LIBTORCH);
  const stamp = 'source scripts/setup.sh; engine_hash >"native/build/stamp"';
  run(checkout, ["bash", "-c", stamp], libtorch);
  const moved = join(folder.path, "elsewhere");
  await rename(checkout, moved);
  expect(run(moved, ["./eve", ...edit], libtorch)).toEqual({
    status: 0,
    stdout: `run: ${edit.join(" ")}\n`,
    stderr: "",
  });
  await writeFile(join(moved, "native/door.cc"), "int changed;");
  expect(run(moved, ["./eve", ...edit], libtorch).stderr).toContain("building the native engine");
});
