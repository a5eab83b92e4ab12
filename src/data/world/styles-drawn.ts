// The styles that redraw the frame from its edges or smooth it; all distances follow the frame's size.

/** Brightness in [0, 255], one value a pixel. */
function lumaOf(rgb: Uint8Array): Float32Array {
  const luma = new Float32Array(rgb.length / 3);
  for (let i = 0, j = 0; i < luma.length; i++, j += 3) {
    luma[i] = 0.299 * rgb[j]! + 0.587 * rgb[j + 1]! + 0.114 * rgb[j + 2]!;
  }
  return luma;
}

/** Mean over `2·radius + 1` neighbours along one axis, edges repeated. */
function boxBlurLines(
  from: Float32Array,
  to: Float32Array,
  size: number,
  step: number,
  radius: number,
): void {
  const across = step === 1 ? size : 1;
  const weight = 1 / (2 * radius + 1);
  for (let line = 0; line < size; line++) {
    const start = line * across;
    const last = start + (size - 1) * step;
    let sum = from[start]! * (radius + 1);
    for (let k = 1; k <= radius; k++) sum += from[Math.min(last, start + k * step)]!;
    for (let k = 0; k < size; k++) {
      const at = start + k * step;
      to[at] = sum * weight;
      const entering = k + radius + 1 < size ? at + (radius + 1) * step : last;
      const leaving = k - radius >= 0 ? at - radius * step : start;
      sum += from[entering]! - from[leaving]!;
    }
  }
}

function boxBlur(plane: Float32Array, size: number, radius: number): Float32Array {
  const scratch = new Float32Array(plane.length);
  boxBlurLines(plane, scratch, size, 1, radius);
  boxBlurLines(scratch, plane, size, size, radius);
  return plane;
}

/**
 * Pencil lines, in [0, 1]: how much darker a pixel is than its surroundings.
 *
 * Objects are drawn with a dark outline, which this finds as one line where a gradient finds two.
 */
export function softLines(
  rgb: Uint8Array,
  size: number,
): { luma: Float32Array; line: Float32Array } {
  const reach = Math.max(1, Math.round(size / 128));
  const luma = lumaOf(rgb);
  const surroundings = boxBlur(boxBlur(luma.slice(), size, 2 * reach), size, 3 * reach);
  const line = luma.map((value, i) => {
    const t = Math.min(1, Math.max(0, (surroundings[i]! - value - 5) / 50));
    return t * (2 - t);
  });
  return { luma, line };
}

/** White lines on blue, the bright parts a little lighter. */
export function blueprint(rgb: Uint8Array, size: number): Uint8Array {
  const { luma, line } = softLines(rgb, size);
  for (let i = 0, j = 0; i < luma.length; i++, j += 3) {
    const wash = 0.22 * (luma[i]! / 255);
    const share = wash + (1 - wash) * 0.85 * line[i]!;
    rgb[j] = 22 + 205 * share;
    rgb[j + 1] = 62 + 180 * share;
    rgb[j + 2] = 158 + 92 * share;
  }
  return rgb;
}

/** Dark pencil lines and light shading on white paper. */
export function sketch(rgb: Uint8Array, size: number): Uint8Array {
  const { luma, line } = softLines(rgb, size);
  for (let i = 0, j = 0; i < luma.length; i++, j += 3) {
    const paper = 172 + 0.31 * luma[i]!;
    const grey = paper * (1 - 0.8 * line[i]!);
    rgb[j] = grey;
    rgb[j + 1] = grey;
    rgb[j + 2] = grey;
  }
  return rgb;
}

/** Glowing lines in the picture's own hues on a dark ground. */
export function neon(rgb: Uint8Array, size: number): Uint8Array {
  const { luma, line } = softLines(rgb, size);
  for (let i = 0, j = 0; i < luma.length; i++, j += 3) {
    const mean = (rgb[j]! + rgb[j + 1]! + rgb[j + 2]!) / 3;
    const glow = line[i]!;
    const dim = 0.1 + 0.0012 * luma[i]!;
    for (let c = j; c < j + 3; c++) {
      const vivid = Math.min(255, Math.max(0, 128 + 2.4 * (rgb[c]! - mean)));
      const tube = c === j ? 255 : c === j + 1 ? 70 : 200;
      rgb[c] = (1 - glow) * dim * (vivid + 40) + glow * tube;
    }
  }
  return rgb;
}

/** Soft pale colours with darker rims, as paint that has dried. */
export function watercolor(rgb: Uint8Array, size: number): Uint8Array {
  const { line } = softLines(rgb, size);
  const plane = new Float32Array(size * size);
  const radius = Math.max(1, Math.round(size / 64));
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < plane.length; i++) plane[i] = rgb[3 * i + c]!;
    boxBlur(plane, size, radius);
    for (let i = 0; i < plane.length; i++) {
      const pale = 96 + 0.62 * plane[i]!;
      rgb[3 * i + c] = pale * (1 - 0.22 * line[i]!);
    }
  }
  return rgb;
}
