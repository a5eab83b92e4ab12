import { z } from "zod";
import { hashText } from "../../engine/hash.ts";
import { TASKS } from "../world/tasks.ts";
import { ChatClient, type EndpointOptions } from "./chat.ts";
import type { Writer } from "./instruct.ts";
import { conversation, draftsOf } from "./prompt.ts";

const Edits = z.object({
  edits: z.array(z.object({ task: z.enum(TASKS), instruction: z.string(), caption: z.string() })),
});

/** A language model that writes instructions, all tasks of a clip in one answer. */
export function modelWriter(options: EndpointOptions): Writer {
  const client = new ChatClient(options);
  return {
    name: `llm:${options.model}`,
    write: async (order, signal) => {
      const seed = (hashText(order.sha256, order.attempt) >>> 1) + order.attempt;
      const question = { messages: conversation(order), schema: Edits, seed };
      return draftsOf((await client.ask(question, signal)).edits);
    },
  };
}
