import type { SKRSContext2D } from "@napi-rs/canvas";
import { WEARS } from "./accessories.ts";
import { SHAPES } from "./kinds.ts";
import type { Pose } from "./motion.ts";
import { type Shades, shades } from "./palette.ts";
import { pathOf } from "./path-cache.ts";
import type { ObjectLook, Texture } from "./scene.ts";
import type { Fill, Part } from "./shape.ts";
import { TEXTURE_PATHS } from "./textures.ts";

/** Width of the outline, in hundredths of the object's size. */
const OUTLINE = 4;
/** Outline of fixed-colour accessories. */
const INK = "#2a2430";

type Gradient = ReturnType<SKRSContext2D["createLinearGradient"]>;

/** Draws an object at its pose on a canvas whose unit is a hundredth of a frame width. */
export function drawObject(context: SKRSContext2D, look: ObjectLook, pose: Pose): void {
  const tones = shades(look.colour);
  const shape = SHAPES[look.kind];
  context.save();
  context.translate(100 * pose.x, 100 * pose.y);
  context.rotate(pose.angle);
  context.scale(pose.scale, pose.scale);
  const light = sidelight(context);
  for (const part of shape.parts) drawPart(context, part, look.texture, tones, light);
  for (const accessory of look.accessories) {
    const { at, parts } = WEARS[accessory];
    const { x, y, width } = shape.anchors[at];
    const scale = width === 0 ? 1 : width / 50;
    context.save();
    context.translate(x, y);
    context.scale(scale, scale);
    for (const part of parts)
      drawPart(context, part, "plain", { ...tones, outline: INK }, undefined);
    context.restore();
  }
  context.restore();
}

/** Light from the upper left: the same for every object, so that shading tells its rotation. */
function sidelight(context: SKRSContext2D): Gradient {
  const gradient = context.createLinearGradient(-40, -45, 40, 45);
  gradient.addColorStop(0, "rgba(255,255,255,0.22)");
  gradient.addColorStop(0.5, "rgba(255,255,255,0)");
  gradient.addColorStop(1, "rgba(20,10,40,0.22)");
  return gradient;
}

function drawPart(
  context: SKRSContext2D,
  { path: data, fill, isBare }: Part,
  texture: Texture,
  tones: Shades,
  light: Gradient | undefined,
): void {
  const path = pathOf(data);
  context.fillStyle = fillColour(fill, tones);
  context.fill(path);
  if (fill === "body") {
    if (texture !== "plain") drawTexture(context, data, texture, tones);
    if (light !== undefined) {
      context.fillStyle = light;
      context.fill(path);
    }
  }
  if (isBare) return;
  context.strokeStyle = tones.outline;
  context.lineWidth = OUTLINE;
  context.lineJoin = "round";
  context.stroke(path);
}

function drawTexture(
  context: SKRSContext2D,
  data: string,
  texture: Exclude<Texture, "plain">,
  tones: Shades,
): void {
  context.save();
  context.clip(pathOf(data));
  context.fillStyle = tones.pattern;
  context.fill(pathOf(TEXTURE_PATHS[texture]));
  context.restore();
}

function fillColour(fill: Fill, tones: Shades): string {
  return fill === "body" || fill === "light" || fill === "dark" ? tones[fill] : fill;
}
