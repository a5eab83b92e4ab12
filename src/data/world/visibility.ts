import { poseAt, viewAt } from "./motion.ts";
import type { Scene } from "./scene.ts";

/** Points spread evenly over the unit disc. */
const DISC = Array.from({ length: 24 }, (_, i) => {
  const radius = Math.sqrt((i + 0.5) / 24);
  const angle = i * 2.399963;
  return [radius * Math.cos(angle), radius * Math.sin(angle)] as const;
});
/** Radius of an object's disc as a share of its size. */
const RADIUS = 0.45;
/** The frames looked at: a window of 16. */
const FRAMES = [0, 5, 10, 15];

/** Share of an object, in [0, 1], that is in the frame and not behind a nearer one, where it is least. */
export function visibleShare(scene: Scene, id: number): number {
  return Math.min(...FRAMES.map((frame) => shareAt(scene, id, frame)));
}

function shareAt({ objects, camera }: Scene, id: number, frame: number): number {
  const view = viewAt(camera, frame);
  const index = objects.findIndex((object) => object.id === id);
  const pose = poseAt(objects[index]!, frame);
  const nearer = objects.slice(index + 1).map((object) => poseAt(object, frame));
  const seen = DISC.filter(([dx, dy]) => {
    const x = pose.x + dx * RADIUS * pose.scale;
    const y = pose.y + dy * RADIUS * pose.scale;
    const inFrame =
      Math.abs(x - view.x) * view.scale < 0.5 && Math.abs(y - view.y) * view.scale < 0.5;
    return inFrame && !nearer.some((by) => Math.hypot(x - by.x, y - by.y) < RADIUS * by.scale);
  });
  return seen.length / DISC.length;
}
