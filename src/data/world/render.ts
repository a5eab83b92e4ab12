import { type Canvas, createCanvas, type SKRSContext2D } from "@napi-rs/canvas";
import { BACKGROUND_MARGIN, paintBackground } from "./backgrounds.ts";
import { drawObject } from "./draw-object.ts";
import { poseAt, type View, viewAt } from "./motion.ts";
import type { Background, Scene } from "./scene.ts";
import { STYLE_TRANSFORMS } from "./styles.ts";

/** Backgrounds are drawn once, this much larger than the frame, so that shifts and zooms stay sharp. */
const OVERSAMPLING = 2;

const canvases = new Map<number, { canvas: Canvas; context: SKRSContext2D }>();
const backdrops = new Map<string, Canvas>();

/**
 * One frame of a scene: `size × size × 3` bytes, red, green, blue, row by row from the top.
 *
 * A pure function of its arguments: what was drawn before makes no difference.
 */
export function renderFrame(scene: Scene, frame: number, size: number): Uint8Array {
  const { canvas, context } = frameCanvas(size);
  const view = viewAt(scene.camera, frame);
  drawBackground(context, scene, frame, view, size);
  const unit = (size / 100) * view.scale;
  context.setTransform(
    unit,
    0,
    0,
    unit,
    size / 2 - 100 * unit * view.x,
    size / 2 - 100 * unit * view.y,
  );
  for (const object of scene.objects) drawObject(context, object, poseAt(object, frame));
  const rgb = withoutAlpha(canvas.data());
  return scene.style === "plain" ? rgb : STYLE_TRANSFORMS[scene.style](rgb, size);
}

/** Frames 0 to `frames - 1` of a scene, each as `renderFrame` draws it. */
export function renderClip(scene: Scene, frames: number, size: number): Uint8Array[] {
  return Array.from({ length: frames }, (_, frame) => renderFrame(scene, frame, size));
}

function frameCanvas(size: number): { canvas: Canvas; context: SKRSContext2D } {
  let entry = canvases.get(size);
  if (entry === undefined) {
    const canvas = createCanvas(size, size);
    entry = { canvas, context: canvas.getContext("2d") };
    canvases.set(size, entry);
  }
  return entry;
}

function drawBackground(
  context: SKRSContext2D,
  { background, drift }: Scene,
  frame: number,
  view: View,
  size: number,
): void {
  const backdrop = backdropCanvas(background, size);
  const width = size * view.scale;
  const height = width * (1 + 2 * BACKGROUND_MARGIN);
  const top = size / 2 - width * (view.y + BACKGROUND_MARGIN);
  const shift = drift * frame;
  const firstLeft = size / 2 + width * (shift - Math.floor(shift) - view.x);
  context.resetTransform();
  context.clearRect(0, 0, size, size); // the backdrop's edges would show the frame before
  context.imageSmoothingQuality = "medium";
  for (let left = firstLeft - 2 * width; left < size; left += width) {
    if (left + width > 0) drawPeriod(context, backdrop, left, top, width, height);
  }
}

/** Draws one period of a background, and one source pixel more on each side so that no seam shows. */
function drawPeriod(
  context: SKRSContext2D,
  backdrop: Canvas,
  left: number,
  top: number,
  width: number,
  height: number,
): void {
  const margin = width / (backdrop.width - 2);
  context.drawImage(backdrop, left - margin, top, width + 2 * margin, height);
}

/** A background's one period with a column of its neighbours on each side. */
function backdropCanvas(background: Background, size: number): Canvas {
  const key = `${background} ${size}`;
  let canvas = backdrops.get(key);
  if (canvas === undefined) {
    const width = size * OVERSAMPLING;
    const height = Math.round(width * (1 + 2 * BACKGROUND_MARGIN));
    canvas = createCanvas(width + 2, height);
    const context = canvas.getContext("2d");
    const unit = width / 100;
    context.setTransform(
      unit,
      0,
      0,
      height / (100 * (1 + 2 * BACKGROUND_MARGIN)),
      1,
      unit * 100 * BACKGROUND_MARGIN,
    );
    paintBackground(context, background);
    backdrops.set(key, canvas);
  }
  return canvas;
}

function withoutAlpha(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let i = 0, j = 0; i < rgba.length; i += 4, j += 3) {
    rgb[j] = rgba[i]!;
    rgb[j + 1] = rgba[i + 1]!;
    rgb[j + 2] = rgba[i + 2]!;
  }
  return rgb;
}
