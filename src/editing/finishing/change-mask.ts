/** Differences of edited and reconstruction, 0–255, that count as none. */
export const UNCHANGED_BELOW = 20;
/** And from which on the edit has drawn a place anew, in a picture of the model's own size. */
export const REDRAWN_ABOVE = 120;
/** How far a change reaches beyond its own pixels, in the model's pixels; the filters below are written for it. */
const reach = 2;

/** How much each difference of 0–255 counts as a change, from 0 to 1 where it is `changed`. */
function changes(changed: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, difference) =>
    smoothStep((difference - UNCHANGED_BELOW) / (changed - UNCHANGED_BELOW)),
  );
}

function smoothStep(value: number): number {
  const within = Math.min(1, Math.max(0, value));
  return within * within * (3 - 2 * within);
}

/**
 * How much each pixel changed, 0–255 in all three channels, spread and smoothed at its edges; a difference of `changed` is a
 * whole change.
 */
export function changeMask(
  edited: Uint8Array,
  reconstruction: Uint8Array,
  size: number,
  changed: number,
): Uint8Array {
  const mask = new Uint8Array(size * size * 3);
  const { largest, extent } = largestDifferences(edited, reconstruction, size);
  if (!extent) return mask;
  const stride = size + 2 * reach;
  const area = grown(extent, size);
  const changeOf = changes(changed);
  const spread = spreadAlong(spreadAlong(largest, stride, area, 1), stride, area, stride);
  const change = new Float32Array(spread.length);
  for (let at = 0; at < spread.length; at++) change[at] = changeOf[spread[at]!]!;
  const smooth = smoothed(change, size, area);
  for (let row = area.top; row < area.bottom; row++) {
    const line = (row + reach) * stride + reach;
    for (let column = area.left; column < area.right; column++) {
      const value = Math.round(255 * smooth[line + column]!);
      const to = (row * size + column) * 3;
      mask[to] = value;
      mask[to + 1] = value;
      mask[to + 2] = value;
    }
  }
  return mask;
}

/** Part of a square: rows and columns from `top` and `left` to before `bottom` and `right`. */
interface Area {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/**
 * The largest difference of each pixel's three channels, with a border of zeros as wide as the filters reach, and the
 * area that changes lie in: most edits leave most of a picture alone.
 */
function largestDifferences(edited: Uint8Array, reconstruction: Uint8Array, size: number) {
  const stride = size + 2 * reach;
  const largest = new Uint8Array(stride * stride);
  let [top, bottom, left, right] = [size, 0, size, 0];
  for (let row = 0, at = 0; row < size; row++) {
    const line = (row + reach) * stride + reach;
    for (let column = 0; column < size; column++, at += 3) {
      const red = Math.abs(edited[at]! - reconstruction[at]!);
      const green = Math.abs(edited[at + 1]! - reconstruction[at + 1]!);
      const blue = Math.abs(edited[at + 2]! - reconstruction[at + 2]!);
      const most = red > green ? (red > blue ? red : blue) : green > blue ? green : blue;
      if (most <= UNCHANGED_BELOW) continue;
      largest[line + column] = most;
      if (row < top) top = row;
      bottom = row + 1;
      if (column < left) left = column;
      if (column >= right) right = column + 1;
    }
  }
  return { largest, extent: bottom === 0 ? undefined : { top, bottom, left, right } };
}

/** The area and as much around it as two filters reach. */
function grown({ top, bottom, left, right }: Area, size: number): Area {
  return {
    top: Math.max(0, top - 2 * reach),
    bottom: Math.min(size, bottom + 2 * reach),
    left: Math.max(0, left - 2 * reach),
    right: Math.min(size, right + 2 * reach),
  };
}

/** The largest of the `2·reach + 1` neighbours that lie `step` apart. */
function spreadAlong(from: Uint8Array, stride: number, area: Area, step: number): Uint8Array {
  const to = new Uint8Array(from.length);
  for (let row = area.top; row < area.bottom; row++) {
    const line = (row + reach) * stride + reach;
    for (let at = line + area.left; at < line + area.right; at++) {
      const before =
        from[at - 2 * step]! > from[at - step]! ? from[at - 2 * step]! : from[at - step]!;
      const after =
        from[at + 2 * step]! > from[at + step]! ? from[at + 2 * step]! : from[at + step]!;
      const beside = before > after ? before : after;
      to[at] = beside > from[at]! ? beside : from[at]!;
    }
  }
  return to;
}

/** The mean of the `2·reach + 1` neighbours along rows, then along columns; at the edges of as many as there are. */
function smoothed(values: Float32Array, size: number, area: Area): Float32Array {
  const stride = size + 2 * reach;
  const count = Uint8Array.from(
    { length: size },
    (_, place) => 1 + Math.min(place, reach) + Math.min(size - 1 - place, reach),
  );
  const along = (from: Float32Array, step: number): Float32Array => {
    const to = new Float32Array(from.length);
    for (let row = area.top; row < area.bottom; row++) {
      const line = (row + reach) * stride + reach;
      for (let column = area.left; column < area.right; column++) {
        const at = line + column;
        const before = from[at - 2 * step]! + from[at - step]!;
        const sum = before + from[at]! + from[at + step]! + from[at + 2 * step]!;
        to[at] = sum / count[step === 1 ? column : row]!;
      }
    }
    return to;
  };
  return along(along(values, 1), stride);
}
