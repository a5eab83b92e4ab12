import { describe, expect, test } from "vitest";
import { WEARS } from "./accessories.ts";
import { PLACE_CENTRES, type SingleEdit } from "./edit.ts";
import { sampleEdit, type WorldEdit } from "./edits.ts";
import { describeOutcome } from "./outcome.ts";
import type { Description, SceneObject } from "./scene.ts";
import { SPLITS } from "./splits.ts";
import { TASKS } from "./tasks.ts";
import { visibleShare } from "./visibility.ts";
import * as words from "./words.ts";

const COUNT = 40;
const requests: readonly WorldEdit[] = SPLITS.flatMap((split) =>
  TASKS.flatMap((task) => Array.from({ length: COUNT }, (_, i) => sampleEdit(split, i, task))),
);

const partsOf = ({ edit }: WorldEdit): readonly SingleEdit[] =>
  edit.type === "both" ? [edit.first, edit.second] : [edit];

/** All single edits of one type, with the request that each is of. */
function editsOf<Type extends SingleEdit["type"]>(
  type: Type,
): { readonly request: WorldEdit; readonly edit: Extract<SingleEdit, { type: Type }> }[] {
  const isWanted = (edit: SingleEdit): edit is Extract<SingleEdit, { type: Type }> =>
    edit.type === type;
  return requests.flatMap((request) =>
    partsOf(request).flatMap((edit) => (isWanted(edit) ? [{ request, edit }] : [])),
  );
}

const targetOf = ({ scene }: WorldEdit, id: number): SceneObject =>
  scene.objects.find((object) => object.id === id)!;

/** Whether a sentence says one of the wordings, as whole words. */
const says = (sentence: string, wordings: readonly string[]): boolean =>
  wordings.some((one) => ` ${sentence.replaceAll(",", "")} `.includes(` ${one} `));

/** What is to be seen in a scene: for each thing, the ways to say it. */
function sights({ objects, background, style }: Description): (readonly string[])[] {
  return [
    [...words.BACKGROUND_WORDS[background], ...words.SETTING_WORDS[background]],
    ...(style === "plain" ? [] : [[...words.STYLE_NAMES[style], ...words.STYLE_NOUNS[style]]]),
    ...objects.flatMap(({ kind, colour, texture, accessories }) => [
      words.THING_WORDS[kind],
      words.COLOUR_WORDS[colour],
      ...(texture === "plain"
        ? []
        : [[...words.TEXTURE_WORDS[texture], ...words.PATTERN_WORDS[texture]]]),
      ...accessories.map((name) => words.ACCESSORY_WORDS[name]),
    ]),
  ];
}

const unsaid = (caption: string, scene: Description): string[] =>
  sights(scene).flatMap((wordings) =>
    says(caption, wordings) ? [] : [`"${caption}" does not say ${wordings.join(" or ")}`],
  );

describe("the scenes of edits", () => {
  test("are never the same in two splits, nor for two tasks", () => {
    const scenes = new Set(requests.map(({ scene }) => JSON.stringify(scene)));
    expect(scenes.size).toBe(requests.length);
  });
});

describe("the captions of an edit", () => {
  test("say all that is to be seen: one before it, the other after it", () => {
    const missing = requests.flatMap(({ scene, edit, inputCaption, outputCaption }) => [
      ...unsaid(inputCaption, scene),
      ...unsaid(outputCaption, describeOutcome(scene, edit)),
    ]);
    expect(missing).toEqual([]);
  });

  test("say of what comes that it is not there before, and of what goes that it is not there after", () => {
    const come = [
      ...editsOf("replace").map(({ request, edit }) => ({ request, kind: edit.kind })),
      ...editsOf("add-object").map(({ request, edit }) => ({ request, kind: edit.look.kind })),
    ];
    const go = [...editsOf("replace"), ...editsOf("remove-object")].map(({ request, edit }) => {
      return { request, kind: targetOf(request, edit.object).kind };
    });
    for (const { request, kind } of come) {
      expect(says(request.inputCaption, words.THING_WORDS[kind]), request.inputCaption).toBe(false);
    }
    for (const { request, kind } of go) {
      const { outputCaption } = request;
      expect(says(outputCaption, words.THING_WORDS[kind]), outputCaption).toBe(false);
    }
  });
});

describe("an instruction", () => {
  test("names the thing that it is about, or there is one thing alone that it can be about", () => {
    for (const request of requests) {
      const { scene, instruction } = request;
      for (const edit of partsOf(request)) {
        if (!("object" in edit)) continue;
        const { kind } = targetOf(request, edit.object);
        const isAlone = /\bit\b/.test(instruction) && scene.objects.length === 1;
        const wearers = scene.objects.filter(({ accessories }) =>
          edit.type === "remove-accessory" ? accessories.includes(edit.accessory) : false,
        );
        const isTold = says(instruction, words.THING_WORDS[kind]);
        expect(isTold || isAlone || wearers.length === 1, instruction).toBe(true);
      }
    }
  });

  test("says what is wanted", () => {
    const wanted = [
      ...editsOf("style").map(({ request, edit: { style } }) => {
        if (style === "plain") throw new Error("no edit asks for the plain style");
        return { request, as: [...words.STYLE_NAMES[style], ...words.STYLE_NOUNS[style]] };
      }),
      ...editsOf("background").map(({ request, edit: { background } }) => {
        const as = [...words.BACKGROUND_WORDS[background], ...words.SETTING_WORDS[background]];
        return { request, as };
      }),
      ...editsOf("replace").map(({ request, edit }) => {
        return { request, as: words.THING_WORDS[edit.kind] };
      }),
      ...[...editsOf("replace"), ...editsOf("repaint")].flatMap(({ request, edit: { colour } }) =>
        colour === undefined ? [] : [{ request, as: words.COLOUR_WORDS[colour] }],
      ),
      ...editsOf("repaint").flatMap(({ request, edit: { texture } }) => {
        if (texture === undefined) return [];
        const patterns = texture === "plain" ? [] : words.PATTERN_WORDS[texture];
        return [{ request, as: [...words.TEXTURE_WORDS[texture], ...patterns] }];
      }),
      ...[...editsOf("add-accessory"), ...editsOf("remove-accessory")].map(({ request, edit }) => {
        return { request, as: words.ACCESSORY_WORDS[edit.accessory] };
      }),
      ...editsOf("add-object").flatMap(({ request, edit: { look, place } }) => [
        { request, as: words.THING_WORDS[look.kind] },
        { request, as: words.COLOUR_WORDS[look.colour] },
        { request, as: words.PLACE_WORDS[place] },
      ]),
    ];
    expect(wanted.length).toBeGreaterThan(requests.length);
    const unheard = wanted.filter(({ request, as }) => !says(request.instruction, as));
    expect(unheard.map(({ request, as }) => `${request.instruction}: ${as.join(" or ")}`)).toEqual(
      [],
    );
  });
});

describe("an edit", () => {
  test("changes what it is about into something else", () => {
    for (const { request, edit } of [...editsOf("replace"), ...editsOf("repaint")]) {
      const { colour, texture } = targetOf(request, edit.object);
      expect(edit.colour).not.toBe(colour);
      if (edit.type === "repaint") expect(edit.texture).not.toBe(texture);
    }
    for (const { request, edit } of editsOf("background"))
      expect(edit.background).not.toBe(request.scene.background);
  });

  test("is of something that can be seen, all the time", () => {
    for (const request of requests)
      for (const edit of partsOf(request)) {
        if (!("object" in edit)) continue;
        expect(visibleShare(request.scene, edit.object), request.instruction).toBeGreaterThan(0.3);
      }
  });

  test("of two parts is of two things", () => {
    for (const request of requests) {
      const [first, second] = partsOf(request);
      if (second === undefined || !("object" in first!) || !("object" in second)) continue;
      expect(first.object, request.instruction).not.toBe(second.object);
    }
  });

  test("puts nothing on a place that something else is worn on", () => {
    const additions = editsOf("add-accessory");
    expect(additions.length).toBeGreaterThan(COUNT);
    for (const { request, edit } of additions) {
      const worn = targetOf(request, edit.object).accessories.map((name) => WEARS[name].at);
      expect(worn).not.toContain(WEARS[edit.accessory].at);
    }
  });

  test("puts a new thing over none that is there", () => {
    for (const { request, edit } of editsOf("add-object")) {
      const [x, y] = PLACE_CENTRES[edit.place];
      for (const object of request.scene.objects)
        expect(Math.hypot(object.x - x, object.y - y)).toBeGreaterThan(object.scale / 2);
    }
  });
});
