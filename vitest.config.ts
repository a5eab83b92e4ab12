import { defineConfig } from "vitest/config";

const recipes = ["**/*.recipe.test.ts", "test/recipes/**/*.test.ts"];

// The native engine lives in a process, not in a thread: forks. Two, because each test process
// brings the engine's own threads. Time limits are for what hangs: a machine busy with other work
// takes several times as long.
export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["src/**/*.test.ts", "test/**/*.test.ts", "scripts/**/*.test.ts"],
          exclude: recipes,
          testTimeout: 90_000,
          hookTimeout: 90_000,
        },
      },
      {
        extends: true,
        test: {
          name: "recipe",
          include: recipes,
          exclude: ["node_modules/**"],
          testTimeout: 400_000,
        },
      },
    ],
  },
});
