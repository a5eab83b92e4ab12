// SVG path data for the shapes of the world, in hundredths of an object's size, y pointing down.

type Point = readonly [number, number];

/** An ellipse around (cx, cy); a circle where one radius is given. */
export function ellipse(cx: number, cy: number, rx: number, ry = rx): string {
  return `M${cx - rx} ${cy}a${rx} ${ry} 0 1 0 ${2 * rx} 0a${rx} ${ry} 0 1 0 ${-2 * rx} 0Z`;
}

/** A polygon through the points, closed. */
export function polygon(...points: readonly Point[]): string {
  return `M${points.map(([x, y]) => `${x} ${y}`).join("L")}Z`;
}

/** A rectangle from its top left corner, its corners rounded by `r`. */
export function box(x: number, y: number, width: number, height: number, r = 0): string {
  const arc = (dx: number, dy: number) => (r === 0 ? "" : `a${r} ${r} 0 0 1 ${dx} ${dy}`);
  return (
    `M${x + r} ${y}h${width - 2 * r}${arc(r, r)}v${height - 2 * r}${arc(-r, r)}` +
    `h${2 * r - width}${arc(-r, -r)}v${2 * r - height}${arc(r, -r)}Z`
  );
}

/** A star around (cx, cy), one point up. */
export function starPath(cx: number, cy: number, outer: number, inner: number, points = 5): string {
  const corners = Array.from({ length: 2 * points }, (_, i): Point => {
    const radius = i % 2 === 0 ? outer : inner;
    const angle = (Math.PI * i) / points - Math.PI / 2;
    return [round(cx + radius * Math.cos(angle)), round(cy + radius * Math.sin(angle))];
  });
  return polygon(...corners);
}

/** A leaf with two pointed ends, `length` long, turned by `angle` radians. */
export function leafPath(cx: number, cy: number, length: number, angle: number): string {
  const at = (along: number, across: number): string => {
    const x = cx + along * Math.cos(angle) - across * Math.sin(angle);
    const y = cy + along * Math.sin(angle) + across * Math.cos(angle);
    return `${round(x)} ${round(y)}`;
  };
  const half = length / 2;
  return `M${at(-half, 0)}Q${at(0, -half)} ${at(half, 0)}Q${at(0, half)} ${at(-half, 0)}Z`;
}

/** A horizontal band whose centre line is a sine, from x = -70 to x = 70. */
export function waveBand(
  y: number,
  thickness: number,
  amplitude: number,
  wavelength: number,
): string {
  const line: Point[] = [];
  for (let x = -70; x <= 70; x += 5) {
    line.push([x, round(y + amplitude * Math.sin((2 * Math.PI * x) / wavelength))]);
  }
  const below = line.map(([x, top]): Point => [x, round(top + thickness)]).toReversed();
  return polygon(...line, ...below);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
