import { WorldRng } from "./rng.ts";
import {
  ACCESSORIES,
  BACKGROUNDS,
  type Camera,
  COLOURS,
  KINDS,
  type Motion,
  type MotionType,
  type Scene,
  type SceneObject,
  type Size,
  STYLES,
  TEXTURES,
} from "./scene.ts";
import type { Split } from "./splits.ts";

/** An object's width in frame widths when it is alone; `CROWDED` shrinks it in company. */
export const SCALES: Readonly<Record<Size, number>> = { small: 0.28, medium: 0.37, large: 0.46 };
/** How far from the middle an object's centre gets, in frame widths: no camera move loses it. */
const FARTHEST = 0.38;
const CROWDED = [1, 0.88, 0.76];

/** How often scenes have what; each is a probability. */
export interface SceneOdds {
  readonly styled: number;
  readonly accessory: number;
  readonly textured: number;
}

const ODDS: SceneOdds = { styled: 0.3, accessory: 0.3, textured: 0.5 };

/** The scene of one index of a split: a pure function of the two. */
export function sampleScene(split: Split, index: number): Scene {
  return drawScene(new WorldRng("scene", split, index), ODDS);
}

/** Draws a scene. No two of its objects are of one kind, so that a kind names an object. */
export function drawScene(rng: WorldRng, odds: SceneOdds): Scene {
  const count = { one: 1, two: 2, three: 3 }[rng.weighted({ one: 0.45, two: 0.37, three: 0.18 })];
  const kinds = rng.shuffle(KINDS).slice(0, count);
  const places = rng.shuffle(drawPlaces(rng, count));
  const objects = kinds.map((kind, id): SceneObject => {
    const size = rng.weighted<Size>({ small: 0.25, medium: 0.5, large: 0.25 });
    const scale = SCALES[size] * CROWDED[count - 1]! * rng.uniform(0.94, 1.06);
    return {
      id,
      kind,
      colour: rng.pick(COLOURS),
      texture: rng.chance(odds.textured) ? rng.pick(TEXTURES) : "plain",
      size,
      accessories: rng.chance(odds.accessory) ? [rng.pick(ACCESSORIES)] : [],
      motion: drawMotion(rng, places[id]!),
      ...places[id]!,
      scale,
    };
  });
  return {
    objects,
    background: rng.pick(BACKGROUNDS),
    style: rng.chance(odds.styled) ? rng.pick(STYLES.slice(1)) : "plain",
    drift: rng.chance(1 / 3) ? rng.pick([-1, 1]) * rng.uniform(0.005, 0.014) : 0,
    camera: drawCamera(rng),
  };
}

/** Centres of `count` objects, beside each other, now and then close enough to overlap. */
function drawPlaces(rng: WorldRng, count: number): { x: number; y: number }[] {
  const columns = [[0.5], [0.31, 0.69], [0.25, 0.5, 0.75]][count - 1]!;
  const closer = count > 1 && rng.chance(0.25) ? 0.6 : 1;
  const spread = count === 1 ? 0.12 : 0.05;
  return columns.map((column) => ({
    x: 0.5 + closer * (column - 0.5) + rng.uniform(-spread, spread),
    y: rng.uniform(count === 3 ? 0.3 : 0.4, count === 3 ? 0.75 : 0.66),
  }));
}

function drawMotion(rng: WorldRng, { x, y }: { x: number; y: number }): Motion {
  const type = rng.weighted<MotionType>({
    still: 0.2,
    linear: 0.2,
    bouncing: 0.15,
    orbiting: 0.15,
    rotating: 0.07,
    growing: 0.1,
    swaying: 0.13,
  });
  const room = FARTHEST - Math.max(Math.abs(x - 0.5), Math.abs(y - 0.5));
  const travel = Math.min(0.17, room) * rng.uniform(0.6, 1);
  const startsAtRest = type === "rotating" || type === "swaying" || type === "growing";
  const amounts: Readonly<Record<MotionType, number>> = {
    still: 0,
    linear: travel,
    bouncing: 0.8 * travel,
    orbiting: 0.7 * travel,
    rotating: 0,
    growing: rng.uniform(0.12, 0.22),
    swaying: rng.uniform(0.15, 0.3),
  };
  const period = type === "rotating" ? rng.uniform(48, 96) : rng.uniform(18, 42);
  return {
    type,
    period,
    phase: startsAtRest ? 0 : rng.next(),
    amount: amounts[type],
    direction: rng.pick([0, 0, Math.PI / 2, Math.PI / 4, -Math.PI / 4]),
  };
}

function drawCamera(rng: WorldRng): Camera {
  const type = rng.weighted<Camera["type"]>({ still: 0.55, pan: 0.25, zoom: 0.2 });
  const direction = rng.uniform(0, 2 * Math.PI);
  const reach = rng.uniform(0.05, 0.1);
  return {
    type,
    period: rng.uniform(36, 72),
    x: type === "pan" ? reach * Math.cos(direction) : 0,
    y: type === "pan" ? reach * Math.sin(direction) : 0,
    zoom: type === "zoom" ? rng.uniform(0.12, 0.25) : 0,
  };
}
