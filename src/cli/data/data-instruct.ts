import { defineCommand } from "citty";
import type { InstructEvent, Writer } from "../../data/instructions/instruct.ts";
import { invariant, UserError } from "../../engine/errors.ts";
import { numberOption } from "../arguments.ts";
import { Reporter } from "../output.ts";
import { JobProgress } from "../job-progress.ts";
import type { VerbContext } from "../verb.ts";

/** The options of `eve data instruct`. */
const args = {
  folder: { type: "positional", description: "a data set made by eve data prepare" },
  llm: {
    type: "string",
    valueHint: "url",
    description: "an OpenAI-compatible endpoint, e.g. http://localhost:11434/v1",
  },
  model: { type: "string", valueHint: "name", description: "the model to ask there" },
  templates: {
    type: "boolean",
    description: "write by rules from the captions' nouns, without a language model",
  },
  "api-key-env": {
    type: "string",
    default: "OPENAI_API_KEY",
    valueHint: "name",
    description: "the environment variable that holds the endpoint's key",
  },
  concurrency: {
    type: "string",
    default: "4",
    valueHint: "n",
    description: "clips that are written for at once",
  },
  timeout: {
    type: "string",
    default: "120",
    valueHint: "seconds",
    description: "how long one request may take",
  },
  attempts: {
    type: "string",
    default: "3",
    valueHint: "n",
    description: "how often a clip is asked for until all its tasks are good",
  },
  json: { type: "boolean", description: "print one JSON object per event" },
} as const;

export default defineCommand({
  meta: {
    name: "instruct",
    description:
      "Write seven instructions and output captions for each clip; the same command again writes what is missing",
  },
  args,
  async run({ args: given, data }) {
    const { signal }: VerbContext = data;
    const report = new Reporter(given);
    const whole = { min: 1, integer: true };
    const concurrency = numberOption("--concurrency", given.concurrency, { ...whole, max: 64 });
    const attempts = numberOption("--attempts", given.attempts, { ...whole, max: 20 });
    const writer = await writerOf(given);
    const folder = given.folder;
    invariant(folder !== undefined, "the parser asks for the folder");
    const { dataFiles, readClips } = await import("../../data/clips/dataset.ts");
    const { clips } = readClips(folder);
    const { claimLock } = await import("../../engine/lock.ts");
    using _ = claimLock(dataFiles(folder).lock, "at work");
    const { writeInstructions } = await import("../../data/instructions/instruct.ts");
    const options = { folder, clips, writer, concurrency, attempts, signal };
    let progress: JobProgress | undefined;
    for await (const event of writeInstructions(options)) {
      if (event.type === "instruct-started") progress = new JobProgress("writing", event.open);
      show(report, event, progress);
    }
  },
});

/** What `writerOf` reads of the options. */
export interface WriterArguments {
  readonly llm?: string | undefined;
  readonly model?: string | undefined;
  readonly templates?: boolean | undefined;
  readonly "api-key-env": string;
  readonly timeout: string;
}

/** Who writes: the templates, or a language model; a UserError where the options name both or neither. */
export async function writerOf(
  { llm, model, templates, "api-key-env": variable, timeout }: WriterArguments,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Writer> {
  if (templates === true && llm === undefined)
    return (await import("../../data/instructions/template-writer.ts")).templateWriter;
  if (templates === true)
    throw new UserError("--llm and --templates exclude each other: give one of them at a time");
  if (llm === undefined)
    throw new UserError(
      "expected who writes: --llm <url> --model <name>, or --templates for rules without a model",
    );
  if (model === undefined) throw new UserError("--model is missing: --model <name>");
  const apiKey = environment[variable];
  if (apiKey === undefined && variable !== "OPENAI_API_KEY")
    throw new UserError(`--api-key-env: the environment has no variable ${variable}`);
  const timeoutSeconds = numberOption("--timeout", timeout, { min: 1, max: 3600 });
  const { modelWriter } = await import("../../data/instructions/model-writer.ts");
  return modelWriter({ url: llm, model, apiKey, timeoutSeconds });
}

function show(report: Reporter, event: InstructEvent, progress: JobProgress | undefined): void {
  switch (event.type) {
    case "instruct-started": {
      const { clips, kept, open, withoutCaption, folder } = event;
      report.event(
        { ...event },
        `${folder}: ${clips} clips, ${kept} instructions are there, ${open} clips to write for`,
      );
      if (withoutCaption.length > 0)
        report.warn(
          `clips without a caption, which get no instructions: ${withoutCaption.length}; give captions to "eve data prepare"`,
        );
      return;
    }
    case "clip-instructed":
      if (report.json || !progress) return report.event({ ...event });
      return report.progress({ ...progress.at(event.done), detail: `${event.accepted} of 7 good` });
    case "instructed":
      return report.event({ ...event }, instructedText(event));
  }
}

function instructedText({
  folder,
  instructions,
  added,
  rejected,
  reasons,
  perTask,
}: Extract<InstructEvent, { type: "instructed" }>): string {
  const tasks = Object.entries(perTask).map(([task, count]) => `${task} ${count}`);
  const lines = [
    `${folder}: ${instructions} instructions, ${added} of them new: ${tasks.join(", ")}`,
  ];
  if (rejected > 0) {
    const most = Object.entries(reasons).toSorted(([, a], [, b]) => b - a);
    const told = most.slice(0, 3).map(([reason, count]) => `${count} times ${reason}`);
    lines.push(`rejected or missing: ${rejected}, listed in rejected.jsonl (${told.join("; ")})`);
  }
  lines.push(`read some before you train: ./eve data page ${folder}`);
  return lines.join("\n");
}
