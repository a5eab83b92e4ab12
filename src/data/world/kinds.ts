import type { Kind } from "./scene.ts";
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

/** The one shape of each kind of object. */
export const SHAPES: Readonly<Record<Kind, Shape>> = {
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
};
