import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DataError, UserError } from "../../engine/errors.ts";
import { writeDataSet } from "../../../test/support/data-set.ts";
import { folderContent } from "../../../test/support/folder-content.ts";
import { languageServer, type ChatReply } from "../../../test/support/language-server.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { dataFiles } from "../clips/dataset.ts";
import { TASKS, type Task } from "../world/tasks.ts";
import { writeInstructions, type InstructEvent, type InstructOptions } from "./instruct.ts";
import type { Writer } from "./instruct.ts";
import { modelWriter } from "./model-writer.ts";
import { readInstructions, type Draft } from "./record.ts";
import { templateWriter } from "./template-writer.ts";

const root = temporaryFolder();
let folders = 0;
const captions = ["a red fox in a meadow", "a blue boat at sea", "", "a man with a hat on a beach"];
const newFolder = (): string => join(root, `data-${folders++}`);

const draft = (task: Task, caption: string): Draft => {
  const changes: Readonly<Record<Task, readonly [string, string]>> = {
    style: ["make it sepia", `${caption}, sepia`],
    background: ["move it to a desert", `${caption} in a desert`],
    object: ["turn it into a rocket", "a rocket"],
    multiple: ["paint it green and add a star", `a green thing and a star`],
    add: ["add a yellow star", `${caption} and a yellow star`],
    remove: ["remove everything", "nothing"],
    texture: ["cover it with stripes", `a striped thing`],
  };
  const [instruction, outputCaption] = changes[task];
  return { task, instruction, outputCaption };
};
const goodWriter: Writer = {
  name: "test",
  write: async ({ tasks, caption }) => tasks.map((task) => draft(task, caption)),
};

interface Written {
  readonly folder: string;
  readonly events: readonly InstructEvent[];
  readonly error: unknown;
}

/** Writes for a data set; stops when `until` says so. */
async function written(
  given: Partial<InstructOptions> & { readonly captions?: readonly string[] } = {},
  until: (event: InstructEvent) => boolean = () => false,
): Promise<Written> {
  const stop = new AbortController();
  const folder = given.folder ?? newFolder();
  const clips = writeDataSet(folder, given.captions ?? captions);
  const events: InstructEvent[] = [];
  const options = { folder, clips, writer: goodWriter, signal: stop.signal, ...given };
  try {
    for await (const event of writeInstructions(options)) {
      events.push(event);
      if (until(event)) stop.abort();
    }
    return { folder, events, error: undefined };
  } catch (error) {
    if (error !== stop.signal.reason) return { folder, events, error };
    return { folder, events, error: "stopped" };
  }
}

const linesOf = (path: string): unknown[] =>
  readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

describe("instructions", () => {
  test("are seven for each clip that has a caption, in order, signed", async () => {
    const { folder, events } = await written();
    const lines = linesOf(dataFiles(folder).instructions);
    expect(lines).toHaveLength(3 * 7);
    expect(lines[7]).toEqual({
      clip: 1,
      inputCaption: "a blue boat at sea",
      by: "test",
      ...draft("style", "a blue boat at sea"),
    });
    expect(lines.slice(14).map((line) => (line as { task: Task }).task)).toEqual([...TASKS]);
    expect(events[0]).toMatchObject({ clips: 4, kept: 0, open: 3, withoutCaption: [2] });
    expect(events.at(-1)).toMatchObject({ instructions: 21, added: 21, rejected: 0 });
  });

  test("are written once: a second run asks for nothing", async () => {
    const { folder } = await written();
    const silent: Writer = { name: "never", write: () => Promise.reject(new Error("was asked")) };
    const { events } = await written({ folder, writer: silent });
    expect(events.at(-1)).toMatchObject({ instructions: 21, added: 0 });
  });

  test("of a run that was stopped and repeated are the same file, byte by byte", async () => {
    const straight = await written({ concurrency: 2, writer: templateWriter });
    const stopped = await written({ concurrency: 1, writer: templateWriter }, ({ type }) =>
      type.startsWith("clip"),
    );
    expect(stopped.error).toBe("stopped");
    expect(linesOf(dataFiles(stopped.folder).instructions)).toHaveLength(7);
    appendFileSync(dataFiles(stopped.folder).instructions, '{"clip":1,"ta'); // a kill would leave that
    await written({ folder: stopped.folder, writer: templateWriter });
    expect(folderContent(stopped.folder)).toEqual(folderContent(straight.folder));
  });

  test("that somebody wrote by hand stay, the last line without its end, too", async () => {
    const { folder } = await written({ captions: ["a red fox"] });
    const path = dataFiles(folder).instructions;
    const mine = readFileSync(path, "utf8").replace("cover it with stripes", "dress it in velvet");
    writeFileSync(path, mine.trimEnd());
    const { events } = await written({ folder, captions: ["a red fox"] });
    expect(events.at(-1)).toMatchObject({ instructions: 7, added: 0 });
    expect(readFileSync(path, "utf8")).toBe(mine);
  });

  test("go when the caption changes, and are written for the new one", async () => {
    const { folder } = await written();
    const changed = ["a red fox in a meadow", "a green boat at sea", "a bird", captions[3]!];
    const { events } = await written({ folder, captions: changed });
    expect(events[0]).toMatchObject({ kept: 14, open: 2 });
    expect(readInstructions(folder, writeDataSet(folder, changed))).toHaveLength(28);
  });
});

describe("drafts that are no use", () => {
  test("are asked for again with the reason, and the good ones stay", async () => {
    const orders: { tasks: readonly Task[]; faults: readonly unknown[] }[] = [];
    const learning: Writer = {
      name: "learning",
      write: async ({ tasks, caption, attempt, faults }) => {
        orders.push({ tasks, faults });
        return tasks.map((task) => {
          const good = draft(task, caption);
          if (task === "remove" && attempt === 0) return { ...good, instruction: "paint it blue" };
          if (task === "style" && attempt < 2) return { ...good, outputCaption: caption };
          return good;
        });
      },
    };
    const { folder } = await written({ captions: ["a red fox"], writer: learning });
    expect(linesOf(dataFiles(folder).instructions)).toHaveLength(7);
    expect(orders.map(({ tasks }) => tasks)).toEqual([TASKS, ["style", "remove"], ["style"]]);
    expect(orders[1]!.faults).toEqual([
      {
        task: "style",
        reason: "the output caption is the input caption",
        instruction: "make it sepia",
      },
      { task: "remove", reason: "the instruction removes nothing", instruction: "paint it blue" },
    ]);
  });

  test("are counted and listed in the end, and the next run tries them again", async () => {
    const twice: Writer = {
      name: "twice",
      write: async ({ tasks, caption }) =>
        tasks.flatMap((task) => {
          if (task === "add") return [];
          const instruction = task === "texture" ? "Make it Sepia!" : undefined;
          return [{ ...draft(task, caption), ...(instruction && { instruction }) }];
        }),
    };
    const { folder, events } = await written({ captions: ["a red fox", "a dog"], writer: twice });
    expect(events.at(-1)).toMatchObject({
      instructions: 10,
      rejected: 4,
      reasons: { "the clip has that instruction already": 2, "nothing was written": 2 },
      perTask: { style: 2, add: 0, texture: 0 },
    });
    expect(linesOf(dataFiles(folder).rejected)[0]).toEqual({
      clip: 0,
      task: "add",
      reason: "nothing was written",
      instruction: null,
    });
    const again = await written({ folder, captions: ["a red fox", "a dog"] });
    expect(again.events.at(-1)).toMatchObject({ instructions: 14, added: 4, rejected: 0 });
    expect(linesOf(dataFiles(folder).rejected)).toEqual([]);
  });
});

describe("a writer that fails", () => {
  const failing = (for_: (caption: string) => boolean, error: Error): Writer => ({
    name: "failing",
    write: async (order, signal) => {
      if (for_(order.caption)) throw error;
      return await goodWriter.write(order, signal);
    },
  });

  test("for one clip leaves that out and goes on", async () => {
    const writer = failing((caption) => caption.includes("boat"), new DataError("no boats"));
    const { events, error } = await written({ writer });
    expect(error).toBeUndefined();
    expect(events.at(-1)).toMatchObject({
      instructions: 14,
      rejected: 7,
      reasons: { "no boats": 7 },
    });
  });

  test("for clip after clip is given up, with what it said", async () => {
    const many = Array.from({ length: 12 }, (_, i) => `a dog number ${i}`);
    const writer = failing(() => true, new DataError("out of order"));
    const { error, events } = await written({ captions: many, writer, concurrency: 1 });
    expect(error).toEqual(new DataError("out of order"));
    expect(events).toHaveLength(1 + 4);
  });

  test("for every other clip is never given up, however many those are", async () => {
    const many = Array.from(
      { length: 14 },
      (_, i) => `a dog ${i % 2 === 0 ? "at sea" : "on land"} ${i}`,
    );
    const writer = failing((caption) => caption.includes("sea"), new DataError("seasick"));
    const { error, events } = await written({ captions: many, writer, concurrency: 1 });
    expect(error).toBeUndefined();
    expect(events.at(-1)).toMatchObject({ instructions: 7 * 7, reasons: { seasick: 7 * 7 } });
  });

  test("for all of a few clips is given up, too", async () => {
    const writer = failing(() => true, new DataError("out of order"));
    const { error } = await written({ captions: ["a dog", "a boat"], writer, concurrency: 1 });
    expect(error).toEqual(new DataError("out of order"));
  });

  test("for reasons that no clip can change ends at once", async () => {
    const writer = failing(() => true, new UserError("bad key"));
    const { error, events } = await written({ writer });
    expect(error).toEqual(new UserError("bad key"));
    expect(events).toHaveLength(1);
  });
});

describe("a language model", () => {
  const answer = (tasks: readonly string[], caption: string): ChatReply => {
    const edits = TASKS.filter((task) => tasks.includes(task)).map((task) => {
      const { instruction, outputCaption } = draft(task, caption);
      return { task, instruction, caption: outputCaption };
    });
    return { type: "text", text: JSON.stringify({ edits }) };
  };
  /** The caption and the kinds that a request asks for. */
  const asked = (content: string) => {
    const [, caption = "", kinds = ""] = /^Caption: (.*)\nKinds: (.*)$/m.exec(content) ?? [];
    return { caption, kinds: kinds.split(", ") };
  };

  test("writes through bad moments of its server as through good ones", async () => {
    const moods: readonly (ChatReply | undefined)[] = [
      { type: "state", status: 429, headers: { "retry-after": "3" } },
      { type: "text", text: '{"edits": [{"task": "sty' },
      undefined,
      { type: "cut" },
      { type: "state", status: 400, body: "response_format is not supported" },
      undefined,
      { type: "state", status: 500 },
    ];
    await using server = await languageServer(({ number, body }) => {
      const { caption, kinds } = asked(
        body.messages.findLast(({ content }) => content.startsWith("Caption"))!.content,
      );
      return moods[number] ?? answer(kinds, caption);
    });
    const writer = modelWriter({ url: server.url, model: "m", wait: async () => {} });
    const { folder, events, error } = await written({ writer, concurrency: 1 });
    expect(error).toBeUndefined();
    expect(events.at(-1)).toMatchObject({ instructions: 21, rejected: 0 });
    const good = await written({ writer: { ...goodWriter, name: "llm:m" } });
    expect(folderContent(folder)).toEqual(folderContent(good.folder));
  });

  test("loses no good edit by another that is none, by its case or by being a list alone", async () => {
    const answered = async (change: (edits: { task: string }[]) => unknown) => {
      await using server = await languageServer(({ body }) => {
        const { caption, kinds } = asked(body.messages.at(-1)!.content);
        const { text } = answer(kinds, caption) as { text: string };
        return { type: "text", text: JSON.stringify(change(JSON.parse(text).edits)) };
      });
      const writer = modelWriter({ url: server.url, model: "m" });
      const { folder, events } = await written({ writer, captions: ["a red fox"] });
      return { end: events.at(-1), folder, requests: server.requests.length };
    };
    const all = { instructions: 7, added: 7 };
    const alone = await answered((edits) => edits);
    expect(alone).toMatchObject({ end: { ...all, rejected: 0 }, requests: 1 });
    const loud = await answered((edits) => ({
      edits: edits.map((edit) => ({ ...edit, task: ` ${edit.task.toUpperCase()}` })),
    }));
    expect(loud).toMatchObject({ end: { ...all, rejected: 0 }, requests: 1 });
    const spin = { task: "motion", instruction: "spin it", caption: "a spinning fox" };
    const more = await answered((edits) => ({ edits: [spin, "", { task: 1 }, ...edits] }));
    expect(more).toMatchObject({ end: { ...all, rejected: 1 }, requests: 1 });
    expect(linesOf(dataFiles(more.folder).rejected)).toEqual([
      { clip: 0, task: "motion", reason: "there is no such kind of edit", instruction: "spin it" },
    ]);
    const bare = await answered((edits) => ({ edits: [{ task: "style" }, ...edits.slice(1)] }));
    expect(bare).toMatchObject({ end: { instructions: 6, rejected: 1 }, requests: 1 + 3 }); // one is left: three times
  });

  test("is told what its edits lack where none is whole", async () => {
    await using server = await languageServer(({ body, number }) => {
      if (number === 0) return { type: "text", text: '{"edits":[{"task":"style"}]}' };
      const { caption, kinds } = asked(body.messages.at(-3)!.content);
      return answer(kinds, caption);
    });
    const writer = modelWriter({ url: server.url, model: "m" });
    const { events } = await written({ writer, captions: ["a red fox"] });
    expect(server.requests[1]!.body.messages.at(-1)!.content).toContain("edits.0.instruction: ");
    expect(events.at(-1)).toMatchObject({ instructions: 7, rejected: 0 });
  });

  test("is shown examples of all kinds, others for another clip, and asked for what is missing", async () => {
    await using server = await languageServer(({ body, number }) => {
      const { caption, kinds } = asked(body.messages.at(-1)!.content);
      return answer(number === 0 ? kinds.filter((kind) => kind !== "add") : kinds, caption);
    });
    const writer = modelWriter({ url: server.url, model: "m" });
    await written({ writer, captions: ["a red fox", "a dog"], concurrency: 1 });
    const talks = server.requests.map(({ body }) => body.messages);
    expect(talks).toHaveLength(3);
    expect(talks[0]!.map(({ role }) => role)).toEqual([
      "system",
      "user",
      "assistant",
      "user",
      "assistant",
      "user",
    ]);
    const example = JSON.parse(talks[0]![2]!.content) as { edits: { task: string }[] };
    expect(example.edits.map(({ task }) => task)).toEqual([...TASKS]);
    expect(talks[1]!.at(-1)!.content).toBe(
      "Caption: a red fox\nKinds: add\nEarlier answers were of no use; write others:\n- add: nothing was written",
    );
    expect(
      talks[0]![1]!.content === talks[2]![1]!.content &&
        talks[0]![3]!.content === talks[2]![3]!.content,
    ).toBe(false);
  });
});
