import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

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
