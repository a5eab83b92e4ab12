import { defineCommand } from "citty";
import { Reporter } from "./output.ts";

export default defineCommand({
  meta: {
    name: "doctor",
    description: "Check this machine and say what to do about what is missing",
  },
  args: { json: { type: "boolean", description: "print one JSON object per check" } },
  async run({ args }) {
    const { examine } = await import("./health.ts");
    const report = new Reporter(args);
    const checks = await examine();
    const width = Math.max(...checks.map(({ name }) => name.length));
    for (const check of checks) {
      const { name, status, detail, advice } = check;
      const line = `${status === "ok" ? "ok  " : "warn"}  ${name.padEnd(width)}  ${detail}`;
      const indent = " ".repeat(width + 8);
      report.event({ type: "check", ...check }, advice ? `${line}\n${indent}→ ${advice}` : line);
    }
  },
});
