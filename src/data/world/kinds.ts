import type { Thing } from "./scene.ts";
import type { Shape } from "./shape.ts";
import { BIRD, CAT, DOG, FISH, FOX } from "./shapes-animals.ts";
import {
  BALL,
  BOAT,
  BOX,
  CAR,
  HEART,
  HOUSE,
  MUSHROOM,
  ROBOT,
  ROCKET,
  STAR,
  TREE,
} from "./shapes-things.ts";
import { OWL, TOY_ROBOT } from "./shapes-subjects.ts";

/** The one shape of everything that can be drawn. */
export const SHAPES: Readonly<Record<Thing, Shape>> = {
  ball: BALL,
  box: BOX,
  star: STAR,
  heart: HEART,
  fish: FISH,
  cat: CAT,
  dog: DOG,
  fox: FOX,
  bird: BIRD,
  car: CAR,
  boat: BOAT,
  house: HOUSE,
  tree: TREE,
  rocket: ROCKET,
  mushroom: MUSHROOM,
  robot: ROBOT,
  "toy-robot": TOY_ROBOT,
  owl: OWL,
};
