import { dims } from "../../engine/axes.ts";
import type { Rng } from "../../engine/random.ts";
import { Tensor, dispatch, type Pixels } from "../../engine/tensor.ts";
import { AugmentationConfig } from "../../eve/critics/critic-config.ts";
import { augment, augmentationFrom } from "../../eve/critics/differentiable-augmentation.ts";
import type { VisionSettings } from "./vision-settings.ts";

/** Views of the same pictures: entry i of every tensor shows picture i. */
export interface Views {
  /** Two large ones. */
  readonly globals: readonly Pixels<"b 3 h w">[];
  /** Small ones. */
  readonly locals: readonly Pixels<"b 3 h w">[];
}

/** Which part of pictures a view shows, and how large it is drawn. */
interface Crop {
  /** The least and the greatest share of the area. */
  readonly area: readonly [number, number];
  /** Side of the view, in pixels. */
  readonly side: number;
}

/** Sides of a crop are to each other as 3:4 at most. */
const MOST_OBLONG = 4 / 3;

/** The views that one batch is learned from; picture i's depend on `rngs[i]` alone. */
export function drawViews(
  pixels: Pixels<"b 3 h w">,
  rngs: readonly Rng[],
  settings: VisionSettings,
): Views {
  const { size, globalArea, localSize, localArea, locals } = settings;
  const draw = (name: string, number: number, crop: Crop): Pixels =>
    drawView(
      pixels,
      rngs.map((rng) => rng.split(name).split(number)),
      crop,
      settings.colour,
    );
  const large = { area: globalArea, side: size };
  const small = { area: localArea, side: localSize };
  return {
    globals: [0, 1].map((view) => draw("global", view, large)),
    locals: Array.from({ length: locals }, (_, view) => draw("local", view, small)),
  };
}

/** One view of each picture: a part of it, mirrored or not, at another size, in slightly other colours. */
function drawView(
  pixels: Pixels<"b 3 h w">,
  rngs: readonly Rng[],
  { area, side }: Crop,
  colour: number,
): Pixels<"b 3 _ _"> {
  const { b } = dims(pixels, "b 3 _ _");
  const maps = Tensor.from(
    rngs.flatMap((rng) => cropMap(rng, area)),
    [b, 2, 3],
  );
  const grid = dispatch("aten::affine_grid_generator", maps, [b, 3, side, side], false);
  const bilinear = 0;
  const repeatEdges = 1;
  const seen = dispatch("aten::grid_sampler", pixels, grid, bilinear, repeatEdges, false);
  const config = AugmentationConfig.parse({ colour, translation: 0, cutout: 0 });
  const draw = augmentationFrom(
    rngs.map((rng) => rng.split("colour")),
    config,
  );
  return augment(seen, draw).clamp(-1, 1);
}

/** The affine map from a view's coordinates to its picture's, both in [-1, 1], row by row. */
function cropMap(rng: Rng, [least, greatest]: readonly [number, number]): number[] {
  const area = least + (greatest - least) * rng.split("area").uniform();
  const oblong = MOST_OBLONG ** (2 * rng.split("oblong").uniform() - 1);
  const width = Math.min(1, Math.sqrt(area * oblong));
  const height = Math.min(1, Math.sqrt(area / oblong));
  const left = (1 - width) * (2 * rng.split("left").uniform() - 1);
  const top = (1 - height) * (2 * rng.split("top").uniform() - 1);
  const mirror = rng.split("mirror").uniform() < 0.5 ? -1 : 1;
  return [mirror * width, 0, left, 0, height, top];
}
