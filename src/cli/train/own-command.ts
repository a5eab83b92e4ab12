import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { DataError } from "../../engine/errors.ts";
import { isRecord, jsonOf } from "../../engine/json.ts";
import type { Reporter } from "../output.ts";

const main = fileURLToPath(new URL("../main.ts", import.meta.url));

/** Who hears of another command. */
export interface Listener {
  readonly signal: AbortSignal;
  /** Is told each line as it is printed. */
  readonly onLine?: (line: string) => void;
}

/** Runs another command of this program; gives back what it prints. What it says on stderr goes through. */
export function ownCommand(args: readonly string[], { signal, onLine }: Listener): Promise<string> {
  signal.throwIfAborted();
  // A process group of its own: Ctrl-C comes to it once, from here, and not a second time from the terminal
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    onLine?.(line);
  });
  const stop = (): void => void child.kill("SIGINT");
  signal.addEventListener("abort", stop);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, killedBy) => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) reject(signal.reason);
      else if (code === 0) resolve(lines.join("\n"));
      else {
        const why = killedBy === null ? "failed: its message stands above" : `ended by ${killedBy}`;
        reject(new DataError(`eve ${args.slice(0, 2).join(" ")} ${why}`));
      }
    });
  });
}

/** Tells the progress and the warnings among the lines that a command prints with `--json`, under the name of what it is for. */
export function tellingProgress(name: string, report: Reporter): (line: string) => void {
  return (line) => {
    const event = jsonOf(line);
    if (!isRecord(event)) return;
    if (event["type"] === "progress")
      report.progress({ ...event, type: "progress", phase: `${name}: ${String(event["phase"])}` });
    if (event["type"] === "warning") report.warn(`${name}: ${String(event["message"])}`);
  };
}
