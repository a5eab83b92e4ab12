import { WorldRng } from "../world/rng.ts";
import { TASKS, type Task } from "../world/tasks.ts";
import type { Message } from "./chat.ts";
import type { WritingOrder } from "./instruct.ts";

/** What each task is, as the writer is told. */
const KINDS: Readonly<Record<Task, string>> = {
  style: "the whole video takes on another artistic style or medium; what it shows stays",
  background: "the surroundings become other surroundings; everything in front of them stays",
  object: "one thing becomes another kind of thing, in the same place and doing the same",
  multiple: "two of the other kinds at once, in one sentence",
  add: "something that was not there appears; everything else stays",
  remove: "one thing that the caption names is gone; everything else stays",
  texture: "one thing keeps its shape and gets another material, colour, pattern or surface",
};

const SYSTEM = `You invent edits of short video clips, for training a program that edits videos by instruction. You are given the caption of a clip and a list of kinds of edit. For each kind in the list write one edit that suits this clip:
- "instruction": what a user would type, one sentence of 3 to 20 words. Vary verbs and wording from edit to edit. Name the thing that changes as the caption does.
- "caption": what the clip shows once it is edited: the given caption, changed only where the edit changes something.
The kinds:
${TASKS.map((task) => `- ${task}: ${KINDS[task]}`).join("\n")}
Edits must be plain to see in every frame. No sound, no text on screen, no camera moves, no speed, nothing that the caption gives no hold for.
Answer with one JSON object: {"edits": [{"task": "...", "instruction": "...", "caption": "..."}]}`;

type Example = { readonly caption: string } & Readonly<Record<Task, readonly [string, string]>>;

/** Clips with an edit of each task: the instruction, and the caption after it. */
const EXAMPLES: readonly Example[] = [
  {
    caption: "a brown horse grazing beside a wooden fence",
    style: [
      "Render this as a charcoal drawing",
      "a charcoal drawing of a brown horse grazing beside a wooden fence",
    ],
    background: [
      "Move everything to a snowy valley",
      "a brown horse grazing beside a wooden fence in a snowy valley",
    ],
    object: ["Swap the horse for a giraffe", "a giraffe grazing beside a wooden fence"],
    multiple: [
      "Turn the horse white and let it rain",
      "a white horse grazing beside a wooden fence in the rain",
    ],
    add: [
      "Let a crow sit on the fence",
      "a brown horse grazing beside a wooden fence with a crow sitting on it",
    ],
    remove: ["Get rid of the fence", "a brown horse grazing"],
    texture: [
      "Give the horse zebra stripes",
      "a zebra-striped horse grazing beside a wooden fence",
    ],
  },
  {
    caption: "a woman in a yellow raincoat cycling through a narrow street",
    style: [
      "Make it look like a comic book",
      "a woman in a yellow raincoat cycling through a narrow street, comic book style",
    ],
    background: [
      "Have her ride along a beach instead",
      "a woman in a yellow raincoat cycling along a beach",
    ],
    object: [
      "Replace the bicycle with a scooter",
      "a woman in a yellow raincoat riding a scooter through a narrow street",
    ],
    multiple: [
      "Put a straw hat on her and make it night",
      "a woman in a yellow raincoat and a straw hat cycling through a narrow street at night",
    ],
    add: [
      "A small dog should sit in her basket",
      "a woman in a yellow raincoat cycling through a narrow street with a small dog in her basket",
    ],
    remove: ["Show her without the raincoat", "a woman cycling through a narrow street"],
    texture: [
      "Change the raincoat to shiny silver foil",
      "a woman in a shiny silver foil raincoat cycling through a narrow street",
    ],
  },
  {
    caption: "two sailing boats on a calm lake at dawn",
    style: [
      "Turn the clip into stained glass",
      "two sailing boats on a calm lake at dawn as stained glass",
    ],
    background: [
      "Let a burning red desert replace the lake",
      "two sailing boats in a burning red desert",
    ],
    object: ["Both boats become giant swans", "two giant swans on a calm lake at dawn"],
    multiple: [
      "Paint the sails black and add a full moon",
      "two sailing boats with black sails on a calm lake under a full moon",
    ],
    add: [
      "Draw a lighthouse at the far shore",
      "two sailing boats on a calm lake at dawn with a lighthouse at the far shore",
    ],
    remove: ["Only one boat, please: erase the other", "a sailing boat on a calm lake at dawn"],
    texture: [
      "The boats should be folded from newspaper",
      "two sailing boats folded from newspaper on a calm lake at dawn",
    ],
  },
  {
    caption: "a chef slicing vegetables in a bright kitchen",
    style: [
      "Use the look of an old silent film",
      "a chef slicing vegetables in a bright kitchen, an old silent film",
    ],
    background: [
      "Set this in a garden full of flowers",
      "a chef slicing vegetables in a garden full of flowers",
    ],
    object: ["Turn the chef into a robot", "a robot slicing vegetables in a bright kitchen"],
    multiple: [
      "Change the vegetables to fruit, then make the walls blue",
      "a chef slicing fruit in a bright kitchen with blue walls",
    ],
    add: [
      "Put a cat on the counter",
      "a chef slicing vegetables in a bright kitchen with a cat on the counter",
    ],
    remove: ["Take away the vegetables", "a chef in a bright kitchen"],
    texture: [
      "Make the chef's apron of knitted wool",
      "a chef in an apron of knitted wool slicing vegetables in a bright kitchen",
    ],
  },
];

/** Examples that one conversation shows. */
const SHOWN = 2;

/** What the writer is asked for one clip: examples drawn by the clip's pictures, then its caption. */
export function conversation(order: WritingOrder): Message[] {
  const rng = new WorldRng("instruct", order.sha256, order.attempt);
  const examples = rng.shuffle(EXAMPLES).slice(0, SHOWN);
  return [
    { role: "system", content: SYSTEM },
    ...examples.flatMap((example): Message[] => [
      { role: "user", content: question(example.caption, TASKS) },
      { role: "assistant", content: answer(example) },
    ]),
    { role: "user", content: `${question(order.caption, order.tasks)}${complaint(order)}` },
  ];
}

function question(caption: string, tasks: readonly Task[]): string {
  return `Caption: ${caption}\nKinds: ${tasks.join(", ")}`;
}

function answer(example: Example): string {
  const edits = TASKS.map((task) => {
    const [instruction, caption] = example[task];
    return { task, instruction, caption };
  });
  return JSON.stringify({ edits });
}

function complaint({ faults }: WritingOrder): string {
  if (faults.length === 0) return "";
  const lines = faults.map(({ task, reason, instruction }) =>
    instruction === null ? `- ${task}: ${reason}` : `- ${task}, "${instruction}": ${reason}`,
  );
  return `\nEarlier answers were of no use; write others:\n${lines.join("\n")}`;
}
