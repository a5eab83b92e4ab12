import { openRunDirectory } from "../../src/training/run.ts";
import { train } from "../../src/training/train.ts";
import { tinyConfig, tinyStage } from "./tiny-stage.ts";

// node train-and-die.ts <directory> <step> <settings as JSON>: trains the tiny stage, and is killed at that step.

const [, , path = "", step = "", settings = "{}"] = process.argv;
const config = tinyConfig(JSON.parse(settings));
const directory = openRunDirectory(path, "tiny", config);
const { signal } = new AbortController();
for await (const event of train({ stage: tinyStage(config), config, directory, signal })) {
  if (event.type === "step-end" && event.step === Number(step))
    process.kill(process.pid, "SIGKILL");
}
