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
function boxBlurLines(from: Float32Array, to: Float32Array, size: number, step: number, radius: number): void {
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

/** Strength of the edges in [0, 1]: the gradient of a plane, full where it changes by 40 over two pixels of 128. */
function edges(plane: Float32Array, size: number): Float32Array {
  const reach = Math.max(1, Math.round(size / 128));
  const strength = new Float32Array(plane.length);
  for (let y = 0; y < size; y++) {
    const up = Math.max(0, y - reach) * size;
    const down = Math.min(size - 1, y + reach) * size;
    for (let x = 0; x < size; x++) {
      const left = Math.max(0, x - reach);
      const right = Math.min(size - 1, x + reach);
      const dx = plane[y * size + right]! - plane[y * size + left]!;
      const dy = plane[down + x]! - plane[up + x]!;
      strength[y * size + x] = Math.min(1, Math.hypot(dx, dy) / 48);
    }
  }
  return strength;
}

function softEdges(rgb: Uint8Array, size: number): { luma: Float32Array; edge: Float32Array } {
  const luma = boxBlur(lumaOf(rgb), size, Math.max(1, Math.round(size / 128)));
  return { luma, edge: edges(luma, size) };
}

/** White lines on blue, the bright parts a little lighter. */
export function blueprint(rgb: Uint8Array, size: number): Uint8Array {
  const { luma, edge } = softEdges(rgb, size);
  for (let i = 0, j = 0; i < luma.length; i++, j += 3) {
    const wash = 0.22 * (luma[i]! / 255);
    const share = wash + (1 - wash) * 0.85 * edge[i]!;
    rgb[j] = 22 + 205 * share;
    rgb[j + 1] = 62 + 180 * share;
    rgb[j + 2] = 158 + 92 * share;
  }
  return rgb;
}

/** Dark pencil lines and light shading on white paper. */
export function sketch(rgb: Uint8Array, size: number): Uint8Array {
  const { luma, edge } = softEdges(rgb, size);
  for (let i = 0, j = 0; i < luma.length; i++, j += 3) {
    const paper = 172 + 0.31 * luma[i]!;
    const grey = paper * (1 - 0.8 * edge[i]!);
    rgb[j] = grey;
    rgb[j + 1] = grey;
    rgb[j + 2] = grey;
  }
  return rgb;
}

/** Glowing edges in the picture's own hues on a dark ground. */
export function neon(rgb: Uint8Array, size: number): Uint8Array {
  const { luma, edge } = softEdges(rgb, size);
  for (let i = 0, j = 0; i < luma.length; i++, j += 3) {
    const bright = Math.max(rgb[j]!, rgb[j + 1]!, rgb[j + 2]!, 1);
    const dim = 0.14 + 0.001 * (luma[i]! - 128);
    const glow = edge[i]!;
    for (let c = j; c < j + 3; c++) {
      const vivid = 255 * (rgb[c]! / bright) ** 1.6;
      const ground = c === j + 1 ? 0.5 : 1;
      rgb[c] = Math.min(255, 26 * ground + dim * vivid + 0.86 * glow * (0.75 * vivid + 0.25 * (255 * ground)) );
    }
  }
  return rgb;
}

/** Soft pale colours with darker rims, as paint that has dried. */
export function watercolor(rgb: Uint8Array, size: number): Uint8Array {
  const { edge } = softEdges(rgb, size);
  const plane = new Float32Array(size * size);
  const radius = Math.max(1, Math.round(size / 64));
  for (let c = 0; c < 3; c++) {
    for (let i = 0; i < plane.length; i++) plane[i] = rgb[3 * i + c]!;
    boxBlur(plane, size, radius);
    for (let i = 0; i < plane.length; i++) {
      const pale = 96 + 0.62 * plane[i]!;
      rgb[3 * i + c] = pale * (1 - 0.22 * edge[i]!);
    }
  }
  return rgb;
}
