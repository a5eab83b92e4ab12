import { loadEditor } from "../../src/editing/editor.ts";

// node edit-and-die.ts <model> <video> <output> <steps to live>: edits and continues what is there; killed at that step.

const [, , model = "", video = "", output = "", stepsToLive = ""] = process.argv;
let steps = 0;
await using editor = await loadEditor({ model, device: "cpu" });
const options = { output, resume: true, steps: 3, seed: 5, task: "style" } as const;
for await (const event of editor.edit(video, "make it a sketch", options)) {
  if (event.type !== "progress" || event.phase !== "editing" || event.step === undefined) continue;
  if (++steps === Number(stepsToLive)) process.kill(process.pid, "SIGKILL");
}
