import { resizeFrame } from "../video/fit.ts";

/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The three pictures that lie in one. */
export const TILES = ["input", "result", "difference"] as const;
/** One of them. */
export type Tile = (typeof TILES)[number];

/** Where the tiles lie in a sheet, in pixels. */
export interface TilePlan {
  readonly sheet: Size;
  /** Of one tile; smaller than its picture where three of that size do not fit. */
  readonly tile: Size;
  readonly places: Readonly<Record<Tile, { readonly left: number; readonly top: number }>>;
}

/** Columns and rows in which three tiles can lie. */
const ARRANGEMENTS = [
  [1, 3],
  [3, 1],
  [2, 2],
] as const;
/** Cells of a sheet are whole blocks of the codec. */
const BLOCK = 16;
/** Pixels around a tile at least, which repeat its edge: what decoding and scaling mix across an edge is the same. */
const MARGIN = 8;

/** Lays three pictures of `size` out in a sheet of at most `limit` pixels: as large as fits, in as small a sheet as that takes. */
export function planTiles({ width, height }: Size, limit: Size): TilePlan {
  const room = (total: number, count: number) =>
    Math.floor(total / count / BLOCK) * BLOCK - 2 * MARGIN;
  const fits = ARRANGEMENTS.map(([columns, rows]) => {
    const scale = Math.min(
      1,
      room(limit.width, columns) / width,
      room(limit.height, rows) / height,
    );
    return { columns, rows, scale };
  });
  const [best] = fits.toSorted(
    (a, b) => b.scale - a.scale || a.columns * a.rows - b.columns * b.rows,
  );
  const { columns, rows, scale } = best!;
  const tile = {
    width: Math.max(1, Math.floor(width * scale)),
    height: Math.max(1, Math.floor(height * scale)),
  };
  const cell = cellOf(tile);
  const place = (index: number) => ({
    left: (index % columns) * cell.width + MARGIN,
    top: Math.floor(index / columns) * cell.height + MARGIN,
  });
  return {
    sheet: { width: columns * cell.width, height: rows * cell.height },
    tile,
    places: { input: place(0), result: place(1), difference: place(2) },
  };
}

/** The place of a tile with its margin. */
function cellOf({ width, height }: Size): Size {
  const whole = (length: number) => Math.ceil((length + 2 * MARGIN) / BLOCK) * BLOCK;
  return { width: whole(width), height: whole(height) };
}

/** One sheet of three pictures of `size`, packed RGB; a copy. What no tile covers is black. */
export function composeTiles(
  { sheet, tile, places }: TilePlan,
  pictures: Readonly<Record<Tile, Uint8Array>>,
  size: Size,
): Uint8Array {
  const all = new Uint8Array(sheet.width * sheet.height * 3);
  const cell = cellOf(tile);
  for (const name of TILES) {
    const rgb = resizeFrame(pictures[name], size, tile);
    const { left, top } = places[name];
    for (let y = 0; y < cell.height; y++) {
      const row = Math.min(Math.max(y - MARGIN, 0), tile.height - 1) * tile.width * 3;
      const start = ((top - MARGIN + y) * sheet.width + left - MARGIN) * 3;
      copyRow(rgb.subarray(row, row + tile.width * 3), all, start, cell.width);
    }
  }
  return all;
}

/** Copies a row of pixels into `width` of them from `start` on, its ends repeated beside it. */
function copyRow(row: Uint8Array, all: Uint8Array, start: number, width: number): void {
  all.set(row, start + MARGIN * 3);
  for (let x = 0; x < MARGIN; x++) all.set(row.subarray(0, 3), start + x * 3);
  for (let x = MARGIN + row.length / 3; x < width; x++) all.set(row.subarray(-3), start + x * 3);
}
