import { WEARS } from "./accessories.ts";
import { PLACE_CENTRES, PLACES, type SingleEdit } from "./edit.ts";
import type { WorldRng } from "./rng.ts";
import {
  ACCESSORIES,
  type Background,
  BACKGROUNDS,
  type Colour,
  COLOURS,
  KINDS,
  type Scene,
  type SceneObject,
  STYLES,
  type Texture,
  TEXTURES,
} from "./scene.ts";
import { visibleShare } from "./visibility.ts";

/** Least visible share of an object whose looks an edit changes, and of one whose accessory it changes. */
const VISIBLE = 0.4;
const WELL_VISIBLE = 0.75;
/** Least width, in frame widths, of an object whose accessory an edit adds or removes. */
const DRESSED_SCALE = 0.3;
/** Least width, in frame widths, of an object of which only the texture is changed. */
const PATTERNED_SCALE = 0.34;
/** Least space above the centre of such an object, in its sizes, so that a hat is in the frame. */
const HEADROOM = 0.7;
/** Least distance of an added object to those that are there, in frame widths. */
const ELBOW_ROOM = 0.3;

/** Backgrounds that black and white hardly changes. */
const GRAY_BACKGROUNDS: ReadonlySet<Background> = new Set(["city", "studio", "snow"]);

/** Draws an edit of one type on a scene, or finds that the scene does not offer one. */
export type DrawEdit = (rng: WorldRng, scene: Scene) => SingleEdit | undefined;

const drawTarget = (rng: WorldRng, scene: Scene): SceneObject | undefined => {
  const target = rng.pick(scene.objects);
  return visibleShare(scene, target.id) >= VISIBLE ? target : undefined;
};

const canChangeDress = (scene: Scene, object: SceneObject): boolean =>
  visibleShare(scene, object.id) >= WELL_VISIBLE &&
  object.y - object.motion.amount >= HEADROOM * object.scale &&
  smallestScale(object) >= DRESSED_SCALE;

const smallestScale = ({ scale, motion }: SceneObject): number =>
  scale * (motion.type === "growing" ? 1 - motion.amount : 1);

const freeKind = (rng: WorldRng, { objects }: Scene) =>
  rng.pick(KINDS.filter((kind) => !objects.some((object) => object.kind === kind)));

const style: DrawEdit = (rng, scene) => {
  if (scene.style !== "plain") return undefined;
  const isGray = GRAY_BACKGROUNDS.has(scene.background);
  const choice = STYLES.filter(
    (name) => name !== "plain" && !(isGray && name === "black-and-white"),
  );
  return { type: "style", style: rng.pick(choice) };
};

const background: DrawEdit = (rng, scene) => ({
  type: "background",
  background: rng.pick(BACKGROUNDS.filter((name) => name !== scene.background)),
});

const replace: DrawEdit = (rng, scene) => {
  const target = drawTarget(rng, scene);
  if (target === undefined) return undefined;
  const edit = { type: "replace", object: target.id, kind: freeKind(rng, scene) } as const;
  return rng.chance(0.25) ? { ...edit, colour: otherColour(rng, target) } : edit;
};

const repaint: DrawEdit = (rng, scene) => {
  const target = drawTarget(rng, scene);
  if (target === undefined || scene.style !== "plain") return undefined;
  const canShowPattern =
    smallestScale(target) >= PATTERNED_SCALE && visibleShare(scene, target.id) >= WELL_VISIBLE;
  const change = rng.weighted({ colour: 0.4, texture: canShowPattern ? 0.5 : 0, both: 0.25 });
  return {
    type: "repaint",
    object: target.id,
    ...(change === "texture" ? {} : { colour: otherColour(rng, target) }),
    ...(change === "colour" ? {} : { texture: otherTexture(rng, target) }),
  };
};

function otherColour(rng: WorldRng, { colour }: SceneObject): Colour {
  return rng.pick(COLOURS.filter((name) => name !== colour));
}

function otherTexture(rng: WorldRng, { texture }: SceneObject): Texture {
  return rng.pick(TEXTURES.filter((name) => name !== texture));
}

const addAccessory: DrawEdit = (rng, scene) => {
  const target = rng.pick(scene.objects);
  if (!canChangeDress(scene, target)) return undefined;
  const taken = new Set(target.accessories.map((name) => WEARS[name].at));
  const free = ACCESSORIES.filter((name) => !taken.has(WEARS[name].at));
  return { type: "add-accessory", object: target.id, accessory: rng.pick(free) };
};

const addObject: DrawEdit = (rng, scene) => {
  const free = PLACES.filter((place) => {
    const [x, y] = PLACE_CENTRES[place];
    return scene.objects.every((object) => Math.hypot(object.x - x, object.y - y) >= ELBOW_ROOM);
  });
  if (scene.objects.length === 3 || free.length === 0) return undefined;
  const look = {
    id: 1 + Math.max(...scene.objects.map(({ id }) => id)),
    kind: freeKind(rng, scene),
    colour: rng.pick(COLOURS),
    texture: "plain",
    size: "medium",
    accessories: [],
    motion: { type: "still", period: 1, phase: 0, amount: 0, direction: 0 },
  } as const;
  return { type: "add-object", look, place: rng.pick(free) };
};

const removeAccessory: DrawEdit = (rng, scene) => {
  const dressed = scene.objects.filter(
    (object) => object.accessories.length > 0 && canChangeDress(scene, object),
  );
  if (dressed.length === 0) return undefined;
  const target = rng.pick(dressed);
  return { type: "remove-accessory", object: target.id, accessory: rng.pick(target.accessories) };
};

const removeObject: DrawEdit = (rng, scene) => {
  const target = drawTarget(rng, scene);
  return target && { type: "remove-object", object: target.id };
};

/** How each type of edit is drawn. */
export const DRAW_EDIT: Readonly<Record<SingleEdit["type"], DrawEdit>> = {
  style,
  background,
  replace,
  repaint,
  "add-accessory": addAccessory,
  "add-object": addObject,
  "remove-accessory": removeAccessory,
  "remove-object": removeObject,
};
