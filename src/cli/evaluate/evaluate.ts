import { defineCommand } from "citty";

export default defineCommand({
  meta: { name: "evaluate", description: "Measure how well a model edits" },
  subCommands: {
    world: async () => (await import("./evaluate-world.ts")).default,
    steps: async () => (await import("./evaluate-steps.ts")).default,
    compare: async () => (await import("./evaluate-compare.ts")).default,
    sheet: async () => (await import("./evaluate-sheet.ts")).default,
    tgve: async () => (await import("./evaluate-tgve.ts")).default,
    "tgve-edits": async () => (await import("./evaluate-tgve-edits.ts")).default,
    style: async () => (await import("./evaluate-combination.ts")).style,
    subject: async () => (await import("./evaluate-combination.ts")).subject,
  },
});
