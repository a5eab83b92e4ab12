import type { Camera, Motion, Scene, SceneObject } from "../src/data/world/scene.ts";

/** A clip to be drawn into `examples/`. */
export interface Example {
  readonly name: string;
  readonly scene: Scene;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  /** Pitch of a sine tone under it; silent without. */
  readonly hertz?: number;
}

const still: Camera = { type: "still", period: 48, x: 0, y: 0, zoom: 0 };

function motion(type: Motion["type"], period: number, amount: number, direction = 0): Motion {
  return { type, period, phase: 0, amount, direction };
}

function object(
  id: number,
  look: Pick<SceneObject, "kind" | "colour" | "motion" | "x" | "y" | "scale"> &
    Partial<SceneObject>,
): SceneObject {
  return { id, texture: "plain", size: "medium", accessories: [], ...look };
}

/** The clips in `examples/`, hand-written scenes of the generated world. */
export const examples: readonly Example[] = [
  {
    name: "bouncing-ball",
    width: 128,
    height: 128,
    frames: 24,
    scene: {
      objects: [
        object(0, {
          kind: "ball",
          colour: "red",
          motion: motion("bouncing", 12, 0.2),
          x: 0.5,
          y: 0.62,
          scale: 0.36,
        }),
      ],
      background: "meadow",
      style: "plain",
      drift: 0,
      camera: still,
    },
  },
  {
    name: "fox-in-the-woods",
    width: 128,
    height: 128,
    frames: 24,
    scene: {
      objects: [
        object(0, {
          kind: "fox",
          colour: "orange",
          motion: motion("linear", 36, 0.14),
          x: 0.5,
          y: 0.6,
          scale: 0.46,
          size: "large",
        }),
      ],
      background: "forest",
      style: "plain",
      drift: 0,
      camera: { ...still, type: "pan", x: 0.06 },
    },
  },
  {
    name: "car-and-house",
    width: 128,
    height: 128,
    frames: 24,
    scene: {
      objects: [
        object(0, {
          kind: "house",
          colour: "yellow",
          texture: "brick",
          motion: motion("still", 24, 0),
          x: 0.3,
          y: 0.5,
          scale: 0.36,
        }),
        object(1, {
          kind: "car",
          colour: "green",
          motion: motion("linear", 32, 0.15),
          x: 0.64,
          y: 0.68,
          scale: 0.34,
        }),
      ],
      background: "city",
      style: "plain",
      drift: 0,
      camera: still,
    },
  },
  {
    name: "cat-with-a-hat",
    width: 128,
    height: 128,
    frames: 16,
    scene: {
      objects: [
        object(0, {
          kind: "cat",
          colour: "gray",
          texture: "striped",
          accessories: ["hat"],
          motion: motion("swaying", 16, 0.22),
          x: 0.5,
          y: 0.58,
          scale: 0.44,
          size: "large",
        }),
      ],
      background: "autumn",
      style: "plain",
      drift: 0,
      camera: { ...still, type: "zoom", zoom: 0.15 },
    },
  },
  {
    name: "boat-with-sound",
    width: 320,
    height: 240,
    frames: 24,
    hertz: 440,
    scene: {
      objects: [
        object(0, {
          kind: "boat",
          colour: "blue",
          motion: motion("swaying", 24, 0.12),
          x: 0.48,
          y: 0.52,
          scale: 0.42,
        }),
      ],
      background: "sunset",
      style: "plain",
      drift: 0.006,
      camera: still,
    },
  },
];
