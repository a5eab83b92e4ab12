import { expect, test } from "vitest";
import { z } from "zod";
import { TASKS } from "../world/tasks.ts";
import { faultOf } from "./check.ts";
import { conversation } from "./prompt.ts";

const order = { caption: "a red fox", tasks: TASKS, attempt: 0, faults: [] };
const Edits = z.object({
  edits: z.array(z.object({ task: z.enum(TASKS), instruction: z.string(), caption: z.string() })),
});

/** The examples that a clip's conversation shows: captions, and the edits of each. */
function examplesFor(sha256: string) {
  const turns = conversation({ ...order, sha256 });
  return [1, 3].map((at) => ({
    caption: /^Caption: (.*)$/m.exec(turns[at]!.content)![1]!,
    edits: Edits.parse(JSON.parse(turns[at + 1]!.content)).edits,
  }));
}

test("every example is as good as what is asked for: no fault in any of its edits", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 40; i++) {
    for (const { caption, edits } of examplesFor(String(i))) {
      seen.add(caption);
      const taken: string[] = [];
      for (const { task, instruction, caption: outputCaption } of edits) {
        const fault = faultOf({ task, instruction, outputCaption }, caption, taken);
        expect(fault, `${task}: ${instruction}`).toBeUndefined();
        taken.push(instruction);
      }
      expect(edits.map(({ task }) => task)).toEqual(TASKS);
    }
  }
  expect(seen.size).toBeGreaterThanOrEqual(4);
});

test("a clip is always shown the same examples, and they differ between attempts", () => {
  const talk = (attempt: number) => conversation({ ...order, sha256: "a", attempt });
  expect(talk(0)).toEqual(talk(0));
  const shown = Array.from({ length: 6 }, (_, attempt) => talk(attempt)[1]!.content);
  expect(new Set(shown).size).toBeGreaterThan(1);
});
