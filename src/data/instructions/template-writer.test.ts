import { describe, expect, test } from "vitest";
import { sampleSentences } from "../world/corpus.ts";
import { TASKS } from "../world/tasks.ts";
import { captionParts } from "./caption-parts.ts";
import { faultOf } from "./check.ts";
import { templateDrafts } from "./template-writer.ts";

const drafts = (caption: string, sha256 = "abc", attempt = 0) =>
  templateDrafts({ caption, sha256, tasks: TASKS, attempt, faults: [] });

/** What the rules find: things by determiner, adjectives and noun, and the setting. */
function found(caption: string) {
  const { things, setting, words } = captionParts(caption);
  return {
    things: things.map(({ determiner, adjectives, noun }) =>
      [determiner, ...adjectives, `<${noun}>`].filter((part) => part !== "").join(" "),
    ),
    setting: setting && words.slice(setting.start, setting.end).join(" "),
  };
}

describe("a caption", () => {
  test.each([
    ["a red fox in a meadow", ["a red <fox>"], "in a meadow"],
    [
      "a man with a hat walking on a beach at sunset",
      ["a <man>", "a <hat>"],
      "on a beach at sunset",
    ],
    ["two dogs playing with a ball in the park", ["two <dogs>", "a <ball>"], "in the park"],
    ["people walking on a street", ["<people>"], "on a street"],
    [
      "a blue ball and a green striped box by the sea",
      ["a blue <ball>", "a green striped <box>"],
      "by the sea",
    ],
    ["A close up of a white cat sleeping.", ["a white <cat>"], null],
    ["In a forest, a small bouncing ball.", ["a small bouncing <ball>"], "In a forest,"],
    ["waves crash on rocks", ["<waves>"], "on rocks"],
    ["a woman drinking a cup of coffee", ["a <woman>", "a <cup of coffee>"], null],
    ["a fox in front of a sunset with a flag", ["a <fox>", "a <flag>"], "in front of a sunset"],
    ["a cat by a wall, in pencil sketch style", ["a <cat>"], "by a wall,"],
    [
      "a blue kitten, with the woods in the background",
      ["a blue <kitten>"],
      "with the woods in the background",
    ],
    ["", [], null],
    ["...", [], null],
  ])("names things, and where it happens: %s", (caption, things, setting) => {
    expect(found(caption)).toEqual({ things, setting });
  });
});

describe("drafts by rules", () => {
  test("are good ones of all seven tasks for what the generated world says of itself", () => {
    const faults: string[] = [];
    for (let index = 0; index < 60; index++) {
      const { caption } = sampleSentences("train", index);
      const taken: string[] = [];
      for (const draft of drafts(caption, `clip ${index}`)) {
        const fault = faultOf(draft, caption, taken);
        if (fault !== undefined) faults.push(`${caption}: ${draft.task}: ${fault}`);
        taken.push(draft.instruction);
      }
      if (taken.length < TASKS.length) faults.push(`${caption}: ${taken.length} drafts`);
    }
    expect(faults.length, faults.join("\n")).toBeLessThan(60 * TASKS.length * 0.03);
  });

  test("depend on the clip's pictures and the attempt alone", () => {
    const caption = "a red fox in a meadow";
    expect(drafts(caption)).toEqual(drafts(caption));
    expect(drafts(caption)).not.toEqual(drafts(caption, "abd"));
    expect(drafts(caption)).not.toEqual(drafts(caption, "abc", 1));
    const [style] = templateDrafts({
      caption,
      sha256: "abc",
      attempt: 0,
      faults: [],
      tasks: ["style"],
    });
    expect(drafts(caption)).toContainEqual(style);
  });

  test("change in the caption what the instruction changes, and keep the rest", () => {
    for (let i = 0; i < 20; i++) {
      const all = drafts("a red fox with a flag in a meadow", String(i));
      const by = Object.fromEntries(all.map((draft) => [draft.task, draft.outputCaption]));
      expect(by["background"]).toMatch(/^a red fox with a flag (?!in a meadow)/);
      expect(by["object"]).toMatch(/(^an? (red )?\w+ with|fox with) an? [\w ]+ in a meadow$/);
      expect(by["remove"]).toBe("a red fox in a meadow");
      expect(by["style"]).toMatch(/^a red fox with a flag in a meadow, /);
      expect(by["texture"]).toMatch(/ in a meadow$/);
      expect(by["multiple"]).not.toMatch(/in a meadow/);
    }
  });

  test("move what happens in front of named surroundings by naming others", () => {
    for (let i = 0; i < 10; i++) {
      const all = drafts("snowy hills with a cyan dog, poster style", String(i));
      const moved = all.find(({ task }) => task === "background");
      expect(moved?.outputCaption).toMatch(/^(?!snowy hills)[\w ]+ with a cyan dog, poster style$/);
      expect(all.find(({ task }) => task === "remove")?.outputCaption).toBe(
        "snowy hills, poster style",
      );
    }
  });

  test("tell one of two things with one name by its looks", () => {
    for (let i = 0; i < 20; i++) {
      const all = drafts("a red car and a blue car on a street", String(i));
      for (const { task, instruction } of all)
        if (["object", "texture"].includes(task))
          expect(instruction).toMatch(/\bthe (red|blue) car\b/);
    }
  });

  test("change in the caption the thing that the instruction names, into what it says, and no other", () => {
    for (let i = 0; i < 40; i++) {
      const all = drafts("a red fox and a blue boat at sea", String(i));
      const by = Object.fromEntries(all.map((draft) => [draft.task, draft]));
      for (const task of ["object", "texture"] as const) {
        const { instruction, outputCaption } = by[task]!;
        const isFox = /\bfox\b/.test(instruction);
        expect(outputCaption).not.toContain(isFox ? "a red fox" : "a blue boat");
        expect(outputCaption).toContain(isFox ? "a blue boat" : "a red fox");
      }
      const { instruction, outputCaption } = by["texture"]!;
      const old = /\bfox\b/.test(instruction) ? "red" : "blue";
      expect(outputCaption).not.toMatch(new RegExp(`\\b${old}\\b`));
      expect(by["object"]!.outputCaption).not.toMatch(
        /\bfox\b/.test(by["object"]!.instruction) ? /\bfox\b/ : /\bboat\b/,
      );
    }
  });

  test("of two edits change both in the caption", () => {
    for (let i = 0; i < 20; i++) {
      const all = drafts("a red fox in a meadow", String(i));
      const both = all.find(({ task }) => task === "multiple")!.outputCaption;
      expect(both).not.toContain("meadow");
      expect(both).not.toMatch(/\bred\b/);
      expect(both).toContain("fox");
    }
  });

  test("give something to wear or to hold, the instruction as the caption", () => {
    const verbs = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const added = drafts("a fox", String(i)).find(({ task }) => task === "add")!;
      const [, verb] = /\b(wear|hold)\b/.exec(added.instruction) ?? [];
      if (verb === undefined) continue;
      verbs.add(verb);
      expect(added.outputCaption).toContain(`${verb}ing`);
    }
    expect(verbs.size).toBe(2);
  });

  test("leave out what the caption gives no hold for, and give people no colour", () => {
    expect(drafts("outside at night").map(({ task }) => task)).toEqual([
      "style",
      "background",
      "add",
    ]);
    const looks = Array.from({ length: 30 }, (_, i) =>
      drafts("a young woman walking", String(i)).find(({ task }) => task === "texture"),
    );
    for (const look of looks)
      expect(look?.outputCaption).toMatch(/^a young (striped|check(er)?ed|dotted|spotted) woman/);
  });

  test("need a caption", () => {
    expect(() => drafts(" ")).toThrow("the caption is empty");
  });
});
