import type { Camera, SceneObject } from "./scene.ts";

/** Frames per second at which the world is shown: a motion moves by its step each frame. */
export const WORLD_FPS = 8;

/** Where an object is in one frame: centre and scale in frame widths, angle in radians, clockwise. */
export interface Pose {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
  readonly angle: number;
}

/** From -1 to 1 and back at constant speed, once a turn. */
function triangle(turns: number): number {
  const t = turns - Math.floor(turns);
  return t < 0.5 ? 4 * t - 1 : 3 - 4 * t;
}

/** An object's pose in the world, before the camera, at any frame from 0 on. */
export function poseAt(object: SceneObject, frame: number): Pose {
  const { x, y, scale, motion } = object;
  const { type, period, phase, amount, direction } = motion;
  const turns = frame / period + phase;
  const turn = 2 * Math.PI * turns;
  const rest = { x, y, scale, angle: 0 };
  switch (type) {
    case "still":
      return rest;
    case "linear": {
      const along = amount * triangle(turns);
      return { ...rest, x: x + along * Math.cos(direction), y: y + along * Math.sin(direction) };
    }
    case "bouncing":
      return { ...rest, y: y + amount * (1 - 2 * Math.abs(Math.sin(turn / 2))) };
    case "orbiting":
      return { ...rest, x: x + amount * Math.cos(turn), y: y + amount * Math.sin(turn) };
    case "rotating":
      return { ...rest, angle: turn };
    case "growing":
      return { ...rest, scale: scale * (1 + amount * Math.sin(turn)) };
    case "swaying":
      return { ...rest, angle: amount * Math.sin(turn) };
  }
}

/** What the camera sees in one frame: the middle of the view, in frame widths, and its magnification. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

/** The camera's view; at frame 0 it is the whole world, `{ x: 0.5, y: 0.5, scale: 1 }`. */
export function viewAt(camera: Camera, frame: number): View {
  const turn = (2 * Math.PI * frame) / camera.period;
  switch (camera.type) {
    case "still":
      return { x: 0.5, y: 0.5, scale: 1 };
    case "pan":
      return {
        x: 0.5 + camera.x * Math.sin(turn),
        y: 0.5 + camera.y * Math.sin(turn),
        scale: 1,
      };
    case "zoom":
      return { x: 0.5, y: 0.5, scale: 1 + (camera.zoom * (1 - Math.cos(turn))) / 2 };
  }
}
