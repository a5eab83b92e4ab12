// Draws the loss curves of a run: node scripts/draw-curves.ts runs/backbone docs/training/backbone.png
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCanvas, type SKRSContext2D } from "@napi-rs/canvas";
import { z } from "zod";

const Line = z.looseObject({
  type: z.string(),
  step: z.number(),
  losses: z.record(z.string(), z.number()).optional(),
  numbers: z.record(z.string(), z.number()).optional(),
});

/** Values of one quantity against the step. */
interface Curve {
  readonly name: string;
  readonly points: readonly (readonly [step: number, value: number])[];
}

const WIDTH = 420;
const HEIGHT = 220;
const MARGIN = { left: 58, right: 12, top: 26, bottom: 26 };
/** Training losses are averaged over this share of the run: single batches say little. */
const SMOOTHING = 0.01;

/**
 * All curves of a run's `metrics.jsonl`: smoothed training losses, and validation numbers as they are. What was measured
 * once is no curve.
 */
export function curvesOf(metrics: string): Curve[] {
  const training = new Map<string, [number, number][]>();
  const validation = new Map<string, [number, number][]>();
  for (const text of metrics.split("\n").filter(Boolean)) {
    const { step, losses = {}, numbers = {} } = Line.parse(JSON.parse(text));
    for (const [name, value] of Object.entries(losses)) append(training, name, [step, value]);
    for (const [name, value] of Object.entries(numbers)) append(validation, name, [step, value]);
  }
  const curves = [
    ...[...training].map(([name, points]) => ({
      name: `training ${name}`,
      points: smoothed(points),
    })),
    ...[...validation].map(([name, points]) => ({ name: `validation ${name}`, points })),
  ];
  return curves.filter(({ points }) => points.length > 1);
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}

/** Means over consecutive blocks. */
export function smoothed(points: readonly (readonly [number, number])[]): [number, number][] {
  const block = Math.max(1, Math.floor(points.length * SMOOTHING));
  const means: [number, number][] = [];
  for (let first = 0; first + block <= points.length; first += block) {
    const part = points.slice(first, first + block);
    const sum = (column: 0 | 1): number => part.reduce((total, point) => total + point[column], 0);
    means.push([sum(0) / block, sum(1) / block]);
  }
  return means;
}

function drawCurve(context: SKRSContext2D, { name, points }: Curve): void {
  const steps = points.map(([step]) => step);
  const values = points.map(([, value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const last = Math.max(...steps);
  const x = (step: number): number =>
    MARGIN.left + (step / last) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number): number =>
    MARGIN.top + ((high - value) / (high - low || 1)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  context.font = "12px sans-serif";
  context.fillStyle = "#222";
  context.fillText(`${name}, last ${values.at(-1)?.toPrecision(4)}`, MARGIN.left, 16);
  context.fillStyle = "#777";
  context.fillText(high.toPrecision(3), 4, y(high) + 4);
  context.fillText(low.toPrecision(3), 4, y(low) + 4);
  context.fillText("0", MARGIN.left, HEIGHT - 8);
  context.fillText(`step ${last}`, WIDTH - MARGIN.right - 70, HEIGHT - 8);
  context.strokeStyle = "#ccc";
  context.strokeRect(
    MARGIN.left,
    MARGIN.top,
    WIDTH - MARGIN.left - MARGIN.right,
    HEIGHT - MARGIN.top - MARGIN.bottom,
  );
  context.strokeStyle = "#1463b8";
  context.lineWidth = 1.5;
  context.beginPath();
  points.forEach(([step, value], i) =>
    i === 0 ? context.moveTo(x(step), y(value)) : context.lineTo(x(step), y(value)),
  );
  context.stroke();
}

/** One panel per curve, in two columns, as PNG. */
export function drawCurves(curves: readonly Curve[]): Buffer {
  const columns = Math.min(2, curves.length);
  const canvas = createCanvas(WIDTH * columns, HEIGHT * Math.ceil(curves.length / columns));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  curves.forEach((curve, i) => {
    context.save();
    context.translate((i % columns) * WIDTH, Math.floor(i / columns) * HEIGHT);
    drawCurve(context, curve);
    context.restore();
  });
  return canvas.toBuffer("image/png");
}

if (import.meta.main) {
  const [run, output] = process.argv.slice(2);
  if (run === undefined || output === undefined)
    throw new Error("expected a run directory and a PNG to write");
  writeFileSync(output, drawCurves(curvesOf(readFileSync(join(run, "metrics.jsonl"), "utf8"))));
}
