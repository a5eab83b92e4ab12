import { defineCommand } from "citty";

export default defineCommand({
  meta: { name: "data", description: "Make training data of your own videos" },
  subCommands: {
    prepare: async () => (await import("./data-prepare.ts")).default,
    instruct: async () => (await import("./data-instruct.ts")).default,
    page: async () => (await import("./data-page.ts")).default,
  },
});
