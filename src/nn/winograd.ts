import { dims } from "../engine/axes.ts";
import { scoped } from "../engine/scope.ts";
import { Tensor, dispatch, dispatchMany, type Float } from "../engine/tensor.ts";

/**
 * 3×3 convolutions as sixteen products of matrices: Winograd's minimal filtering `F(2×2, 3×3)` (Lavin and Gray, 2016).
 *
 * A tile of 2×2 results is `Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A`, of a kernel `g` and the 4×4 places `d` that it reads: sixteen
 * multiplications in place of 36. Each transformation is one product with a Kronecker product of its matrix.
 */
const KERNEL = kronecker([
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5],
  [0, 0, 1],
]); // G ⊗ G
const INPUT = kronecker([
  [1, 0, -1, 0],
  [0, 1, 1, 0],
  [0, -1, 1, 0],
  [0, 1, 0, -1],
]); // Bᵀ ⊗ Bᵀ
const OUTPUT = kronecker([
  [1, 1, 1, 0],
  [0, 1, -1, -1],
]); // Aᵀ ⊗ Aᵀ
/** Takes a transformed kernel back: a left inverse of `KERNEL`. */
const KERNEL_BACK = kronecker([
  [1, 0, 0, 0],
  [0, 1, -1, 0],
  [0, 0, 0, 1],
]);

/** Values of transformed pictures held at once: more are worked off picture by picture. 16 Mi are 64 MiB. */
const VALUES_AT_ONCE = 16 * 1024 * 1024;

type Matrix = readonly (readonly number[])[];

function kronecker(matrix: Matrix): Matrix {
  return matrix.flatMap((a) => matrix.map((b) => a.flatMap((x) => b.map((y) => x * y))));
}

/** `matrix · columns`, of as many columns as there are. */
function transformed(matrix: Matrix, columns: Float<"n m">): Float<"_ m"> {
  const shape = [matrix.length, matrix[0]!.length];
  return Tensor.from(matrix.flat(), shape, "float32", columns.device).matmul(columns);
}

/** A kernel as `convolveInTiles` multiplies by it, 16/9 of its size. */
export function kernelForTiles(kernel: Float<"out in 3 3">): Float<"16 in out"> {
  const { out, in: inputs } = dims(kernel, "out in 3 3");
  return scoped(() => {
    const places = kernel
      .to("float32")
      .permute([2, 3, 1, 0])
      .reshape([9, inputs * out]);
    return transformed(KERNEL, places).reshape([16, inputs, out]);
  });
}

/** The kernel that `kernelForTiles` transformed, to float32's rounding. */
export function kernelFromTiles(tiles: Float<"16 in out">): Float<"out in 3 3"> {
  const { in: inputs, out } = dims(tiles, "16 in out");
  return scoped(() => {
    const places = transformed(KERNEL_BACK, tiles.reshape([16, inputs * out]));
    return places.reshape([3, 3, inputs, out]).permute([3, 2, 0, 1]).contiguous();
  });
}

/** Convolves with steps of one and a border of one zero, in float32. */
export function convolveInTiles(
  x: Float<"b in h w">,
  kernel: Float<"16 in out">,
  bias: Float<"out"> | null,
): Float<"b out h w"> {
  const { h, w } = dims(x, "_ _ h w");
  const { in: inputs, out } = dims(kernel, "16 in out");
  const each = 16 * Math.ceil(h / 2) * Math.ceil(w / 2) * Math.max(inputs, out);
  const atOnce = Math.max(1, Math.floor(VALUES_AT_ONCE / each));
  const some = dispatchMany("aten::split.Tensor", x, atOnce, 0);
  const convolved = some.map((pictures) => scoped(() => convolveSome(pictures, kernel, bias)));
  return convolved.length > 1 ? Tensor.cat(convolved, 0) : convolved[0]!;
}

function convolveSome(
  x: Float<"b in h w">,
  kernel: Float<"16 in out">,
  bias: Float<"out"> | null,
): Float<"b out h w"> {
  const { b, in: inputs, h, w } = dims(x, "b in h w");
  const { out } = dims(kernel, "16 _ out");
  const [rows, columns] = [Math.ceil(h / 2), Math.ceil(w / 2)];
  const read = transformed(INPUT, tilesOf(x, rows, columns)).reshape([16, -1, inputs]);
  const products = dispatch("aten::bmm", read, kernel);
  const results = transformed(OUTPUT, products.reshape([16, -1]));
  const tiled = results.reshape([2, 2, b, rows, columns, out]);
  const y = (bias ? tiled.add(bias) : tiled)
    .permute([2, 5, 3, 0, 4, 1])
    .reshape([b, out, 2 * rows, 2 * columns]);
  return h === 2 * rows && w === 2 * columns ? y : y.narrow(2, 0, h).narrow(3, 0, w).contiguous();
}

/** The 4×4 places that each tile reads, as sixteen rows. */
function tilesOf(x: Float<"b c h w">, rows: number, columns: number): Float<"16 n"> {
  const { h, w } = dims(x, "_ _ h w");
  const borders = [0, 0, 1, 2 * columns - w + 1, 1, 2 * rows - h + 1];
  const padded = dispatch(
    "aten::constant_pad_nd",
    x.permute([0, 2, 3, 1]).contiguous(),
    borders,
    0,
  );
  const tiles = dispatch("aten::unfold", dispatch("aten::unfold", padded, 1, 4, 2), 2, 4, 2); // b rows columns c 4 4
  return tiles.permute([4, 5, 0, 1, 2, 3]).reshape([16, -1]);
}
