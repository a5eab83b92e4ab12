import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";

const native = fileURLToPath(new URL("native.ts", import.meta.url));

/** Loads the engine and prints what OpenBLAS is told. */
const PROGRAM = `(await import(${JSON.stringify(native)})).door(); console.log(process.env.OPENBLAS_THREAD_TIMEOUT)`;

/** How threads wait in a process of its own that loads the engine: OpenMP's as itself tells, OpenBLAS's as it is told. */
async function waitingWith(
  environment: Record<string, string>,
): Promise<{ openmp: string | undefined; openblas: string }> {
  const {
    GOMP_SPINCOUNT: _,
    OMP_WAIT_POLICY: __,
    OPENBLAS_THREAD_TIMEOUT: ___,
    ...inherited
  } = process.env;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", PROGRAM],
    { env: { ...inherited, ...environment, OMP_DISPLAY_ENV: "verbose" } },
  );
  return { openmp: /GOMP_SPINCOUNT = '(\w+)'/.exec(stderr)?.[1], openblas: stdout.trim() };
}

test("threads of one operator sleep where they wait, unless the environment says how they are to", async () => {
  expect((await waitingWith({})).openmp).toBe("0");
  expect((await waitingWith({ GOMP_SPINCOUNT: "700" })).openmp).toBe("700");
  expect((await waitingWith({ OMP_WAIT_POLICY: "active" })).openmp).not.toBe("0");
});

test("OpenBLAS's threads sleep after microseconds, unless the environment says when", async () => {
  expect((await waitingWith({})).openblas).toBe("14");
  expect((await waitingWith({ OPENBLAS_THREAD_TIMEOUT: "26" })).openblas).toBe("26");
});

/** What a scope throws, in a process of its own, that asks for a tensor of the door at `path`. */
async function refusalOf(path: string): Promise<string> {
  const scope = new URL("scope.ts", import.meta.url).href;
  const program = `
    const { scoped } = await import(${JSON.stringify(scope)});
    const { Tensor } = await import(${JSON.stringify(new URL("tensor.ts", import.meta.url).href)});
    try { scoped(() => Tensor.ones([1])) } catch ({ name, message }) { console.log(name, message) }`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", program],
    { env: { ...process.env, EVE_DOOR: path } },
  );
  return stdout.trim();
}

test("a door that is not there, or does not load, is one sentence, also where a scope closes behind it", async () => {
  expect(await refusalOf("/nowhere/door.node")).toBe(
    "UserError expected the native engine to be built, found none: run ./eve --setup-only, which builds what is missing",
  );
  const damaged = join(temporaryFolder(), "door.node");
  writeFileSync(damaged, "no library");
  expect(await refusalOf(damaged)).toMatch(
    /^UserError expected the native engine to load, got .+: run \.\/eve --setup-only/,
  );
});
