import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const native = fileURLToPath(new URL("native.ts", import.meta.url));

/** Loads the engine in a process of its own and prints what OpenBLAS is told there. */
const PRINT_TIMEOUT = `await import(${JSON.stringify(native)}); console.log(process.env.OPENBLAS_THREAD_TIMEOUT)`;

/** How OpenMP's threads wait in a process of its own that loads the engine, as OpenMP itself tells. */
async function waitingWith(environment: Record<string, string>): Promise<string | undefined> {
  const { GOMP_SPINCOUNT: _, OMP_WAIT_POLICY: __, ...inherited } = process.env;
  const { stderr } = await promisify(execFile)(process.execPath, [native], {
    env: { ...inherited, ...environment, OMP_DISPLAY_ENV: "verbose" },
  });
  return /GOMP_SPINCOUNT = '(\w+)'/.exec(stderr)?.[1];
}

test("threads of one operator sleep where they wait, unless the environment says how they are to", async () => {
  expect(await waitingWith({})).toBe("0");
  expect(await waitingWith({ GOMP_SPINCOUNT: "700" })).toBe("700");
  expect(await waitingWith({ OMP_WAIT_POLICY: "active" })).not.toBe("0");
});

test("OpenBLAS's threads sleep after microseconds, unless the environment says when", async () => {
  const { OPENBLAS_THREAD_TIMEOUT: _, ...inherited } = process.env;
  const told = async (environment: Record<string, string>): Promise<string> => {
    const args = ["--input-type=module", "--eval", PRINT_TIMEOUT];
    const env = { ...inherited, ...environment };
    return (await promisify(execFile)(process.execPath, args, { env })).stdout.trim();
  };
  expect(await told({})).toBe("14");
  expect(await told({ OPENBLAS_THREAD_TIMEOUT: "26" })).toBe("26");
});
