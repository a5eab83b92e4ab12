import { Path2D } from "@napi-rs/canvas";

const paths = new Map<string, Path2D>();

/** The canvas path of SVG path data, parsed once. */
export function pathOf(data: string): Path2D {
  let path = paths.get(data);
  if (path === undefined) {
    path = new Path2D(data);
    paths.set(data, path);
  }
  return path;
}
