import { z } from "zod";
import { hashText } from "../../engine/hash.ts";
import { TASKS } from "../world/tasks.ts";
import { ChatClient, type EndpointOptions } from "./chat.ts";
import type { Writer } from "./instruct.ts";
import { conversation } from "./prompt.ts";
import { isDraft, type Proposal } from "./record.ts";

/** What is asked for. */
const Edits = z.object({
  edits: z.array(z.object({ task: z.enum(TASKS), instruction: z.string(), caption: z.string() })),
});

/** An edit as models write it, complete or not. */
const AnyEdit = z
  .object({
    task: z.string().trim().toLowerCase(),
    instruction: z.string().catch(""),
    caption: z.string().catch(""),
  })
  .transform(({ task, instruction, caption }) => ({ task, instruction, outputCaption: caption }));

/** A list of anything, of which the edits are taken: one that cannot be read spoils no other. */
const AnyList = z
  .array(z.unknown())
  .transform((entries): Proposal[] =>
    entries.flatMap((entry) => AnyEdit.safeParse(entry).data ?? []),
  );

/** What is taken: also a list alone. One in which no edit is whole is none, and is sent back. */
const Taken = z.union([
  z
    .object({ edits: AnyList })
    .transform(({ edits }) => edits)
    .refine((edits) => edits.length === 0 || edits.some(isWhole)),
  AnyList.refine((edits) => edits.some(isWhole)),
]);

function isWhole(proposal: Proposal): boolean {
  return isDraft(proposal) && proposal.instruction !== "" && proposal.outputCaption !== "";
}

/** A language model that writes instructions, all tasks of a clip in one answer. */
export function modelWriter(options: EndpointOptions): Writer {
  const client = new ChatClient(options);
  return {
    name: `llm:${options.model}`,
    write: async (order, signal) => {
      const seed = (hashText(order.sha256, order.attempt) >>> 1) + order.attempt;
      const question = { messages: conversation(order), schema: Edits, taken: Taken, seed };
      return await client.ask(question, signal);
    },
  };
}
